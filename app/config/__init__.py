"""The site: settings, addresses, and the entry points of its servers."""
