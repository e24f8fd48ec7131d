"""Contains the management commands of the app ops."""
