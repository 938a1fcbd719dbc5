"""The compose form. It refuses nothing: whatever was typed is kept in the draft, and sending says what to mend."""

import re
import secrets
import uuid
from datetime import datetime
from typing import Self

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.plain_text import plain_text

from . import bodies
from .drafts import DraftText

_REVISION = re.compile("[0-9]{1,9}")
# At the ends of what a datetime can hold, it cannot be turned into another zone: nor stored, nor shown.
FIRST_YEAR, LAST_YEAR = 2000, 9998


def is_within_years(moment: datetime) -> bool:
    return FIRST_YEAR <= moment.year <= LAST_YEAR


class ComposeForm(forms.Form):
    to = forms.CharField(label=_("To"), required=False, strip=True)
    cc = forms.CharField(label=_("Cc"), required=False, strip=True)
    bcc = forms.CharField(label=_("Bcc"), required=False, strip=True)
    subject = forms.CharField(
        label=_("Subject"), required=False, strip=True, widget=forms.TextInput(attrs={"dir": "auto"})
    )
    body = forms.CharField(label=_("Message"), required=False, widget=forms.Textarea(attrs={"dir": "auto"}))
    expires_at = forms.CharField(
        label=_("Expires earlier"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
    )
    definition = forms.UUIDField(label=_("Definition"), required=False)
    read_receipt = forms.BooleanField(label=_("Request Read Receipt"), required=False)
    # "html" once the editor has taken the textarea over.
    body_format = forms.CharField(required=False, initial="plain", widget=forms.HiddenInput)
    # Which save of the draft this window has seen, and which window it is.
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    window = forms.CharField(required=False, widget=forms.HiddenInput, initial=lambda: secrets.token_hex(8))
    # What a reply answers, for its first save; later the draft knows.
    answers = forms.UUIDField(required=False, widget=forms.HiddenInput)
    to_all = forms.BooleanField(required=False, widget=forms.HiddenInput)
    is_forward = forms.BooleanField(required=False, widget=forms.HiddenInput)

    @classmethod
    def of(cls, text: DraftText, **hidden: object) -> "ComposeForm":
        """The form as the draft stands."""
        expires_at = timezone.localtime(text.expires_at).strftime("%Y-%m-%dT%H:%M") if text.expires_at else ""
        return cls(
            initial={
                "to": text.to,
                "cc": text.cc,
                "bcc": text.bcc,
                "subject": text.subject,
                "body": plain_text(text.body),
                "expires_at": expires_at,
                "read_receipt": text.read_receipt,
                "revision": text.revision,
                "definition": text.definition,
                **hidden,
            }
        )

    def begun_in(self, name: str) -> Self:
        """The form of a message nobody has begun, with the cursor where one begins. A draft comes back without: there
        one reads first."""
        self.fields[name].widget.attrs["autofocus"] = True
        return self

    def text(self, before: DraftText | None) -> DraftText:
        """What was typed. `before`, the draft as it stood, keeps its formatting where a person without the editor
        left its words alone."""
        return DraftText(
            to=self._recipients("to", before),
            cc=self._recipients("cc", before),
            bcc=self._recipients("bcc", before),
            subject=self._typed("subject").strip(),
            body=self._body(before),
            expires_at=self._expires_at(),
            read_receipt=bool(self._typed("read_receipt")),
            revision=int(revision) if _REVISION.fullmatch(revision := self._typed("revision")) else None,
            window=self._typed("window")[:32],
            definition=self._definition(before),
        )

    def problems(self) -> list[str]:
        """A sentence for each thing that was typed and could not be understood: the draft is kept without it, and must
        not be sent as if it had never been meant."""
        if self._typed("expires_at").strip() and self._expires_at() is None:
            return [gettext("The expiry could not be read. Choose date and time again, or leave it empty.")]
        return []

    def _typed(self, name: str) -> str:
        return str(self.data.get(name, "")).replace("\x00", "")

    def _body(self, before: DraftText | None) -> str:
        written = self._typed("body")
        if self._typed("body_format") == "html":
            return bodies.sanitize(written)
        words = written.replace("\r\n", "\n").strip("\n")
        if before is not None and words == plain_text(before.body):
            return before.body
        return bodies.from_plain_text(written)

    def _recipients(self, name: str, before: DraftText | None) -> str:
        """A form without the field (a reply's) leaves the draft's as they are."""
        if name not in self.data and before is not None:
            return str(getattr(before, name))
        return self._typed(name).strip()

    def _definition(self, before: DraftText | None) -> uuid.UUID | None:
        """A form without the field (there was nothing to choose) leaves the draft's as it is."""
        if "definition" not in self.data:
            return before.definition if before else None
        try:
            return uuid.UUID(self._typed("definition"))
        except ValueError:
            return None

    def _expires_at(self) -> datetime | None:
        try:
            moment = parse_datetime(self._typed("expires_at").strip())
        except ValueError:
            return None
        if moment is None or not is_within_years(moment):
            return None
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment
