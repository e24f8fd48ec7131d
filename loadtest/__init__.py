"""Putting a load on Parley from outside. Imports nothing of app/: it knows the servers by their sockets only."""
