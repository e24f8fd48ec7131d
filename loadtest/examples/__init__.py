"""Users for other servers."""
