"""The chat of the Channels tutorial, parts 2 and 3, written anew after it and nothing improved."""
