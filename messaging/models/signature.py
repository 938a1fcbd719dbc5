from django.conf import settings
from django.db import models

from portal.ids import uuid7


class Signature(models.Model):
    """What stands under what a person writes, as text."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="signature")
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return str(self.owner_id)
