"""`make run`: all of Parley on this machine."""
