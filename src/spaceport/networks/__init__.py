"""Deep networks: where a model lies, which of its layers are wanted, and how one is trained here."""
