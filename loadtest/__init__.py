"""Load tests of a site from outside. Nothing here imports from app/: the servers are known by their sockets only."""
