"""A result as one HTML file: no script, no other file, readable on a phone."""

from loadtest.report.page import render

__all__ = ["render"]
