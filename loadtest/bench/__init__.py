"""`make bench`: what one delivery costs on Parley, and on other servers that do the same."""
