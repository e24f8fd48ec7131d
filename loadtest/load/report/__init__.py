"""A result as one HTML file without scripts and without other files, readable on a phone."""

from loadtest.load.report.page import render_report

__all__ = ["render_report"]
