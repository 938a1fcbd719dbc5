from django.db import models

from portal.ids import uuid7

from .directory import User


class OldPassword(models.Model):
    """The hash of a password that a person had, kept only where the organisation forbids to use one again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="old_passwords")
    password = models.CharField(max_length=128)

    class Meta:
        indexes = [models.Index(name="old_password_newest", fields=["user", "-id"])]

    def __str__(self) -> str:
        return str(self.id)
