"""What a person chose for themselves on the page "Account". Empty is what the organisation has.

All but the phrase are fields of the user. How dates stand on a page, and from which day a week counts, is read by
portal/templatetags/ui.py; zone and language by portal/middleware.py; `notify` and `wants_reminders` by messaging. The
phrase is sealed, and `phrase_of` opens it.
"""

import uuid
import zoneinfo
from typing import Any

from django.conf import settings
from django.db import transaction

from portal import audit, keyring
from portal.models import Organization

from .models import User

FIELDS = ("language", "time_zone", "date_format", "time_format", "week_starts_on", "notify", "wants_reminders")
MAX_PHRASE = 60


def change(user: User, *, phrase: str, **values: Any) -> None:
    """Store all of them. The audit event names the fields that changed, and no value."""
    values["sealed_phrase"] = _sealed(user, phrase) if phrase else None
    changed = [name for name in FIELDS if values[name] != getattr(user, name)]
    changed += ["phrase"] if phrase != phrase_of(user) else []
    if not changed:
        return
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(**values)
        audit.record(user.organization, "preferences.changed", actor=user, about=user.pk, fields=changed)
    for name, value in values.items():
        setattr(user, name, value)


def phrase_of(user: User, key: bytes | None = None) -> str:
    """What only this person and the portal know, to stand in every notification; empty if they chose none.

    key: the leaf key, where many are opened at once (`phrase_key`)."""
    if not user.sealed_phrase:
        return ""
    return keyring.unseal_text(key or phrase_key(), user.sealed_phrase, _place(user.pk))


def phrase_key() -> bytes:
    return keyring.leaf_key("phrases")


def _sealed(user: User, phrase: str) -> bytes:
    return keyring.seal_text(phrase_key(), phrase, _place(user.pk))


def _place(user_id: uuid.UUID) -> keyring.Place:
    return ("user", user_id, "phrase")


def time_zones(organization: Organization) -> list[tuple[str, str]]:
    """(value, label) for the choice; the first is the organisation's own."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("", organization.time_zone), *((name, name.replace("_", " ")) for name in names), ("UTC", "UTC")]


def languages() -> list[tuple[str, str]]:
    return list(settings.LANGUAGES)
