"""Spaces in two storeys: a store of versions below; contract, build, card and version above."""
