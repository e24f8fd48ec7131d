"""The epoch: the history of the site that its counters belong to."""

from uuid import uuid4

from django.db import models


class Epoch(models.Model):
    """A table with one row. A restore replaces the value, and every client that has another value reloads its rooms."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.UUIDField(default=uuid4)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_epoch")]

    def __str__(self) -> str:
        return str(self.value)
