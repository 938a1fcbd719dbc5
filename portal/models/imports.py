from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ..dates import in_full
from ..ids import uuid7
from .organization import Organization


class Import(models.Model):
    """A file of an administrator's: first checked as a dry run, then, confirmed, taken in (portal/imports.py).

    Both passes go through it batch by batch; `position` says how many rows of the current one are done.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="imports", verbose_name=_("organisation")
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("who")
    )
    kind = models.CharField(_("of what"), max_length=20)
    # Sealed under a key of its own purpose; null as soon as it is not needed any more.
    content = models.BinaryField(null=True)
    ordered_at = models.DateTimeField(_("uploaded"))
    checked_at = models.DateTimeField(_("checked"), null=True)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    # Why the file as a whole was not taken; empty otherwise.
    problem = models.CharField(max_length=300, blank=True)
    total = models.PositiveIntegerField(null=True)
    position = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    wrong = models.PositiveIntegerField(default=0)

    COUNTS: ClassVar[tuple[str, ...]] = ("new", "changed", "unchanged", "wrong")

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(name="import_open", fields=["id"], condition=Q(content__isnull=False))]
        constraints = [
            models.CheckConstraint(
                name="import_content_gone_at_the_end",
                condition=Q(finished_at__isnull=True, cancelled_at__isnull=True) | Q(content__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return in_full(self.ordered_at)

    @property
    def is_over(self) -> bool:
        return self.content is None

    @property
    def waits_for_confirmation(self) -> bool:
        return not self.is_over and self.checked_at is not None and self.confirmed_at is None


class ImportProblem(models.Model):
    """One row that is not taken in, by its line in the file, and why."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    of_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems")
    line = models.PositiveIntegerField()
    text = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(name="import_problem_one_per_line", fields=["of_import", "line"])]

    def __str__(self) -> str:
        return f"{self.line}: {self.text}"
