"""Locust users: any WebSocket server, any chat, Parley."""
