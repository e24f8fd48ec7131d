"""User classes for other servers."""
