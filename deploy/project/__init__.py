"""Reads a Django project from its files, without importing any of it: it may need packages that are not installed."""
