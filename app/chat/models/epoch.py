"""Which history of this site its counters belong to."""

from uuid import uuid4

from django.db import models


class Epoch(models.Model):
    """One row. Restoring a backup replaces its value, and every client that has another one starts afresh."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    value = models.UUIDField(default=uuid4)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_epoch")]

    def __str__(self) -> str:
        return str(self.value)
