"""Spaceport: embeddings as versioned interfaces."""
__version__ = "0.1.0"
