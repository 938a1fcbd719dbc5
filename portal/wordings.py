"""Wordings: those mails of which an organisation may word the subject and the opening text itself.

The rest of a mail stays the portal's: its one link, until when, how to check that it is genuine. In an organisation's
own text stand placeholders from a list, such as {organization}; they are put in by one replacement, never by a template
language, in which a text could reach for more than it was given.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.functional import Promise

from .models import NotificationText, Organization

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class Placeholder:
    """What stands there in the end, said to the administrator; and taken from what the mail is written from."""

    meaning: Promise
    value: Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True)
class Wording:
    """One kind of mail, by the name of its templates."""

    kind: str
    label: Promise
    template: str
    subject: Promise
    text: Promise  # paragraphs with an empty line between
    placeholders: Mapping[str, Placeholder]
    required: tuple[str, ...]  # placeholders without which the text does not say whom the mail is from
    sample: Callable[[Organization], dict[str, Any]]  # what such a mail is written from, made up

    def filled(self, own: NotificationText | None, context: Mapping[str, Any]) -> tuple[str, list[str]]:
        """Subject and paragraphs: the organisation's own, or else the portal's in the language of the moment."""
        subject, text = (own.subject, own.text) if own else (str(self.subject), str(self.text))
        values = {name: placeholder.value(context) for name, placeholder in self.placeholders.items()}
        return " ".join(_filled(subject, values).split()), paragraphs(_filled(text, values))


_wordings: dict[str, Wording] = {}


def register(wording: Wording) -> None:
    _wordings[wording.kind] = wording


def all_wordings() -> list[Wording]:
    return list(_wordings.values())


def wording_of(kind: str) -> Wording | None:
    return _wordings.get(kind)


def wording_for(template: str) -> Wording | None:
    return next((wording for wording in _wordings.values() if wording.template == template), None)


def own_text(organization: Organization, wording: Wording) -> NotificationText | None:
    return NotificationText.objects.filter(organization=organization, kind=wording.kind).first()


class OwnTexts:
    """Organisations' own texts, each looked up once: for mails that are written within seconds."""

    def __init__(self) -> None:
        self._found: dict[tuple[UUID, str], NotificationText | None] = {}

    def of(self, organization: Organization, wording: Wording) -> NotificationText | None:
        key = organization.pk, wording.kind
        if key not in self._found:
            self._found[key] = own_text(organization, wording)
        return self._found[key]


def paragraphs(text: str) -> list[str]:
    return [found for part in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")) if (found := part.strip())]


def _filled(text: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)
