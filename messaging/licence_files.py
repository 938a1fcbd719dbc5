"""Licences as a file: who is a licensed sender, and their Bulk Sender packs; what they used this month, to look at."""

import itertools
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export import widgets

from accounts import directories
from accounts.directory_files import UserResource
from accounts.models import User
from portal import erased, imports, moments
from portal.table_resource import NumberWidget, TableResource, YesNoWidget, column

from . import bulk_sender_packs, licences
from .models import BulkSenderPack, RecipientUse

_PACK = re.compile(r"(\d{1,9}) (\d{4})-(0[1-9]|1[0-2])(?: (\d{4})-(0[1-9]|1[0-2]))?")
_SEPARATOR = "; "


class PacksWidget(widgets.Widget):
    """ "500 2030-01 2030-12; 1000 2031-01": recipients a month, first month, last month or none."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        text = str(value).strip()
        return in_words([_pack(item.strip()) for item in text.split(";") if item.strip()])

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value or ""


def _pack(text: str) -> BulkSenderPack:
    match = _PACK.fullmatch(text)
    if match is None or "0000" in (match[2], match[4]):
        raise ValueError(
            _("“%s” is no pack. One looks like 500 2030-01 2030-12, several are separated by ;.") % text[:40]
        )
    last = date(int(match[4]), int(match[5]), 1) if match[4] else None
    return BulkSenderPack(recipients=int(match[1]), first_month=date(int(match[2]), int(match[3]), 1), last_month=last)


def in_words(packs: Sequence[BulkSenderPack]) -> str:
    """As the file has them, in one order, so that the same packs are the same text."""
    found = [
        f"{pack.recipients} {pack.first_month:%Y-%m}" + (f" {pack.last_month:%Y-%m}" if pack.last_month else "")
        for pack in packs
    ]
    return _SEPARATOR.join(sorted(found))


class LicenceResource(TableResource):
    model = User
    key = "address"
    explained: ClassVar[dict[str, Any]] = {
        "address": gettext_lazy(
            "of a user who is in the internal directories already; erased people have none, and no import changes them"
        ),
        "name": gettext_lazy("for the reader; an import takes no notice of it"),
        "licensed": gettext_lazy("yes or no: may write new messages to anyone"),
        "packs": gettext_lazy(
            "Bulk Sender packs, separated by semicolons: recipients a month, first month, last month (none: until "
            "further notice), such as 500 2030-01 2030-12. An empty cell: no packs; without the column: as they are"
        ),
        "used": gettext_lazy("unique external recipients this month; an import takes no notice of it"),
        "limit": gettext_lazy("of this month; an import takes no notice of it"),
    }
    address = column("address")
    name = column("name", readonly=True)
    licensed = column("licensed", "is_licensed", YesNoWidget())
    packs = column("packs", "packs", PacksWidget())
    used = column("used", "used", NumberWidget(), readonly=True)
    limit = column("limit", "limit", NumberWidget(), readonly=True)

    normalized = UserResource.normalized

    def find(self, keys: Sequence[str]) -> dict[str, User]:
        found = self._with_usage(User.objects.filter(address__in=keys))
        return {user.address: self.prepared(user) for user in found}

    def init_instance(self, row: Any = None) -> Any:
        raise ValidationError(_("There is no user with this address."))

    def write(self, row: Any, *, is_new: bool) -> None:
        if row.is_staff and self.actor.pk != row.pk and not self.actor.has_perm("accounts.appoint_user"):
            raise ValidationError(_("Administrators are changed on their own page, not by an import."))
        directories.license_sender(actor=self.actor, user=row, licensed=row.is_licensed)
        wanted = [_pack(item) for item in row.packs.split(_SEPARATOR) if item]
        for pack in wanted:
            pack.sender = row
        bulk_sender_packs.replace(actor=self.actor, sender=row, wanted=wanted)

    def everything(self) -> QuerySet:
        uses = RecipientUse.objects.filter(sender=OuterRef("pk"))
        senders = User.objects.filter(Q(is_licensed=True) | Exists(uses))
        return self._with_usage(senders).order_by("address")

    def export_rows(self) -> Iterable[list[str]]:
        """Erased people used something too, so the sums are right; each is a row, by a number of this file alone."""
        nobodys = itertools.count(1)
        for address, *cells in super().export_rows():
            is_nobodys = erased.is_erased(address)
            yield [f"{erased.in_words(address)} {next(nobodys)}" if is_nobodys else address, *cells]

    def prepared(self, row: Any) -> Any:
        row.packs = in_words(row.bulk_sender_packs.all())
        return row

    def _with_usage(self, users: QuerySet) -> QuerySet:
        found = licences.with_usage(users.filter(organization=self.organization), moments.now())
        return found.select_related("domain", "organization").prefetch_related("bulk_sender_packs")


imports.register(imports.Kind("licences", gettext_lazy("licences"), "messaging.licensedsender", LicenceResource))
