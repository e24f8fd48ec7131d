"""The client program that drives every contender: one process, one epoll loop, one socket for each member."""
