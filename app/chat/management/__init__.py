"""Contains the management commands of the chat."""
