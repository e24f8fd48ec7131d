"""The status of a site on a host in one screen: `make status`, `parley status`, and `deploy/status` on the host."""
