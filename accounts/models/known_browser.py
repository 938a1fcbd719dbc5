from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

from .directory import User


class KnownBrowser(models.Model):
    """A browser in which this person has logged in before. It has a failure count of its own, so that a stranger's
    guesses cannot lock the owner out. The row holds a hash; the token is in the browser's cookie."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="known_browsers")
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("known browser")
        verbose_name_plural = _("known browsers")
        constraints = [models.UniqueConstraint(name="known_browser_once_per_user", fields=["user", "digest"])]

    def __str__(self) -> str:
        return str(self.id)
