"""The part of the preflight that runs on the host: the standard library alone, and nothing is changed."""
