"""The WebSocket transport of the chat: parley.v1, and the protocols of older chats in compat/."""
