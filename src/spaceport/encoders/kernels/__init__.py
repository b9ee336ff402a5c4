"""Numerical kernels, apart from the objects that use them."""
