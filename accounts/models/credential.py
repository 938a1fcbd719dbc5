from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .directory import User


class Credential(models.Model):
    """Something that opens the page where a new password is set, once. The row holds a hash; the secret is derived
    again whenever its mail is rendered (accounts/credentials.py)."""

    class Purpose(models.TextChoices):
        FIRST_VISIT = "first_visit", _("first visit")
        RESET = "reset", _("password reset")
        ADMINISTRATOR = "administrator", _("issued by an administrator")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="credentials")
    purpose = models.CharField(max_length=16, choices=Purpose)
    digest = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            # A newer one takes the older one's place, so that exactly one is ever good.
            models.UniqueConstraint(
                name="credential_one_open_per_user",
                fields=["user"],
                condition=Q(used_at__isnull=True, withdrawn_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.id}"

    def is_open(self, now: datetime) -> bool:
        return self.used_at is None and self.withdrawn_at is None and now < self.expires_at
