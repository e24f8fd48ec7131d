"""`make run`: the chat and its servers on this machine."""
