"""Fan-out for Channels: streams of numbered events, carried from the database's commit to every socket.

Knows nothing of chat. A stream is a name and a counter; a source can be asked for its head and for what it missed.
"""
