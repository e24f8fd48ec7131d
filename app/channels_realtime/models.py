"""The events that channels_realtime.resume stores, so that a client that reconnects gets what it missed."""

from secrets import token_hex
from typing import ClassVar

from django.db import models


def new_epoch() -> str:
    """Return a value that no earlier stream had."""
    return token_hex(4)


class StoredStream(models.Model):
    """A stream. `head` is the `seq` of its newest event; the lock on this row makes the order of `seq` that of commits.

    `epoch` says in which table the sequence numbers are valid: a stream that was deleted and began again has another.
    """

    name = models.CharField(max_length=100, unique=True)
    epoch = models.CharField(max_length=16, default=new_epoch)
    head = models.BigIntegerField(default=0)

    objects: ClassVar[models.Manager["StoredStream"]] = models.Manager()

    class Meta:
        app_label = "channels_realtime"

    def __str__(self) -> str:
        return self.name


class StoredEvent(models.Model):
    """An event of a stream. `text` is the event as JSON; `key` tells repeats of one send apart from two sends."""

    stream = models.ForeignKey(StoredStream, on_delete=models.CASCADE, related_name="events")
    seq = models.BigIntegerField()
    key = models.CharField(max_length=64, null=True)  # noqa: DJ001  NULL is not equal to NULL, so it may repeat
    text = models.TextField()
    created = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["StoredEvent"]] = models.Manager()

    class Meta:
        app_label = "channels_realtime"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stream", "seq"], name="stored_event_unique_seq"),
            # A client that did not receive the acknowledgement sends again; the event must be stored once.
            models.UniqueConstraint(fields=["stream", "key"], name="stored_event_unique_key"),
        ]

    def __str__(self) -> str:
        return f"{self.stream}/{self.seq}"
