"""What lies on the disk and in the catalog: versions with their files and vectors, aliases, artifacts, consumers."""
