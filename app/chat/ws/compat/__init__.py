"""Sockets of the clients of older chats, which offer no subprotocol."""
