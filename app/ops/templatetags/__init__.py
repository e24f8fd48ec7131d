"""Template tags for the administration and the error pages."""
