"""Locust users: any WebSocket server, any chat, the chat of the stack."""
