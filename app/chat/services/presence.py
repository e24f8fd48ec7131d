"""Which people are connected, for lists that are not live."""

from realtime.presence import online

__all__ = ["online"]
