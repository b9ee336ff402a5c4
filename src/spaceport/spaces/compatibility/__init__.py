"""Versions as interfaces: diff, adapters, consumers, the promotion gate, migration."""
