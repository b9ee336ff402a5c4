"""Public conformance checks for each family; nothing else imports them."""
