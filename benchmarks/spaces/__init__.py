"""Publishing and looking up."""
