"""Spaces as users see them: contract, build, card, version; what lies below is `storage`."""
