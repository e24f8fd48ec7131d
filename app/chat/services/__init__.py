"""The verbs of the chat, and the only code that writes its models.

Each is one transaction, and what it changed is announced once that is committed.
"""
