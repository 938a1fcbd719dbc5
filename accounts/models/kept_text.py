from django.db import models

from portal.ids import uuid7

from .directory import User


class KeptText(models.Model):
    """What a person was writing when their session ended, sealed, until they have logged in again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_texts")
    at = models.DateTimeField()
    # The form's address and its fields, as JSON.
    shown_at = models.DateTimeField(null=True)
    sealed_form = models.BinaryField()

    def __str__(self) -> str:
        return str(self.id)
