"""What one delivery costs, beside other ways to do it: `make bench`."""
