"""What a person has beside their password, on django-otp's device.

django-otp's own TOTP device keeps its seed in the clear and its static tokens in the clear and short: these here are
sealed, and hashed. Verifying is in accounts/second_factor.py, which locks.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device

from portal.ids import uuid7

from .directory import User


class SecondFactor(models.Model):
    """One row for whoever has begun to use a second factor: the lock under which codes are judged, and their count."""

    user = models.OneToOneField(User, primary_key=True, on_delete=models.CASCADE, related_name="second_factor")
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    # An administrator has asked to take everything away, because the person lost it.
    removal_due_at = models.DateTimeField(_("removal of the second factor"), null=True, blank=True)

    def __str__(self) -> str:
        return str(self.user_id)


class TotpDevice(Device):
    """An authenticator app. Not confirmed until it has shown a right code once."""

    sealed_seed = models.BinaryField()
    # The 30-second step of the last code that was accepted: none is accepted twice, nor an earlier one.
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(name="totp_device_one_per_state", fields=["user", "confirmed"])]

    def __str__(self) -> str:
        return str(self.name)


class Passkey(Device):
    """A WebAuthn credential: the public half of a key that never leaves its owner's device."""

    credential_id = models.BinaryField(max_length=1023, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.name)


class RecoveryCode(models.Model):
    """One of ten codes for the day the telephone is gone. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.BinaryField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return str(self.id)
