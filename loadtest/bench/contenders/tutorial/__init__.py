"""The chat of the Channels tutorial, parts 2 and 3, written after it without improvements."""
