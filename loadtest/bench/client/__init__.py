"""The one client program that drives every contender: a process of its own, raw epoll, one socket per member."""
