"""The status of a site on a host in one screen: `make status`, and `deploy/status` on the host."""
