"""Template tags for the account pages."""
