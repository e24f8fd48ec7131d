"""The program `parley`."""
