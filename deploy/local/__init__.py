"""The whole of Parley on this machine: what `make run` is made of."""
