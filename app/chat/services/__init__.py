"""The operations of the chat, and the only code that writes its models.

An operation is one transaction, and its events are published after the commit. An expected refusal is a ChatError.
"""
