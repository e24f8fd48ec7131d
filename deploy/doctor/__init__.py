"""Which hop between a browser and the chat loses the WebSocket, and how to mend it."""
