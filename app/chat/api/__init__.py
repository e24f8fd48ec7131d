"""The REST API: the chat's services over HTTP, for programs."""
