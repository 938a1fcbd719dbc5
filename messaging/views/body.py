"""What was written, as a document of its own: in the message page's frame, or on paper.

The frame's own policy: Outlook's styling lives in style attributes, pictures came with the message; nothing else may
load, nothing may run, and opened as a page of its own it is still a sandbox.
"""

import uuid
from typing import Any

from csp.constants import NONE, SELF
from csp.decorators import csp
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import access, bodies, replies, rules, sealing
from messaging.models import MailboxEntry, Message, Recipient

from . import opening

_POLICY = {
    "default-src": [NONE],
    "style-src": ["'unsafe-inline'"],
    "img-src": [SELF, "data:"],
    "frame-ancestors": [SELF],
    "base-uri": [NONE],
    "form-action": [NONE],
}
IN_THE_FRAME = _POLICY | {"sandbox": ["allow-same-origin", "allow-popups", "allow-popups-to-escape-sandbox"]}
_ON_PAPER = _POLICY | {"frame-ancestors": [NONE], "sandbox": ["allow-modals"]}


@csp(IN_THE_FRAME)
@xframe_options_sameorigin
@require_safe
@opening.never_ahead
def body(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """The document inside the message page's frame: the body, and under it what it quotes."""
    return _document(request, entry, "messaging/body.html")


@csp(_ON_PAPER)
@require_safe
@opening.never_ahead
def print_sheet(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """A clean sheet for the browser's print command; refused where printing is restricted."""
    return _document(request, entry, "messaging/print_sheet.html")


def _document(request: AuthenticatedRequest, entry: uuid.UUID, template: str) -> HttpResponse:
    try:
        copy = access.openable_content_with_body(request.user, entry)
    except access.Gone as gone:
        return render(request, "messaging/body_gone.html", {"reason": gone.reason}, status=410)
    is_for_paper = template == "messaging/print_sheet.html"
    if is_for_paper and (why := rules.why_not(copy, "may_print")):
        raise PermissionDenied(why)
    opening.note(request, copy)
    shown = written(copy.message, sealing.open_message_key(copy))
    return render(request, template, shown | (_addressed(copy) if is_for_paper else {}))


def written(message: Message, key: bytes) -> dict[str, Any]:
    """What a document of the message shows."""
    return {
        "message": message,
        "subject": sealing.open_subject(message, key),
        "body": bodies.shown(sealing.open_body(message, key)),
        "quotes": [quote | {"body": bodies.shown(quote["body"])} for quote in replies.open_quotes(message, key)],
    }


def _addressed(copy: MailboxEntry) -> dict[str, Any]:
    listed = copy.message.recipients.exclude(role=Recipient.Role.BCC).order_by("id")
    return {
        "to": [person for person in listed if person.role == Recipient.Role.TO],
        "cc": [person for person in listed if person.role == Recipient.Role.CC],
    }
