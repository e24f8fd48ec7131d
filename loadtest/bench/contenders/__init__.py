"""The contenders: how each is installed, started and reached, in a module of its own."""
