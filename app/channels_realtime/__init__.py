"""Fan-out for Django Channels: streams of numbered events, from the commit in the database to every WebSocket.

The package knows no application: see README.md in this folder.
"""
