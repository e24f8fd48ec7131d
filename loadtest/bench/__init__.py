"""`make bench`: what one delivery costs on this stack, and on other servers that do the same."""
