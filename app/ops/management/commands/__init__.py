"""The management commands of the app ops."""
