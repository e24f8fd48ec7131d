"""The name of the program in results: of its contender, and in front of those that are variants of it."""

OURS = "parley"
TITLE = OURS.capitalize()
