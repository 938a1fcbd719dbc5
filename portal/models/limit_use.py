from django.db import models

from portal.ids import uuid7


class LimitUse(models.Model):
    """How much of one limit in rate (portal/limits.py) somebody has used since its period began."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    limit = models.CharField(max_length=40)
    # No foreign key: whoever is limited, the ground floor knows only by id.
    used_by = models.UUIDField()
    began_at = models.DateTimeField()
    used = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(name="limit_use_one_row_each", fields=["limit", "used_by"])]

    def __str__(self) -> str:
        return f"{self.limit} {self.used_by}"
