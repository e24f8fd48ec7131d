"""Template tags for the chat pages."""
