"""The pages on which a message is begun: an empty one, an answer, a forward."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import access, attachments, replies, sealing, sending, signatures
from messaging.drafts import DraftText
from messaging.forms import ComposeForm
from messaging.replies import Answer
from portal.ids import uuid7

from . import opening
from .compose_page import page


@require_safe
def compose(request: AuthenticatedRequest) -> HttpResponse:
    """An empty message. Its id is made here, so that however often the form is sent it is one message."""
    if not sending.may_write_new_messages(request.user):
        raise PermissionDenied(_("Your account can answer messages, but not write new ones."))
    form = ComposeForm.of(DraftText(), **_signed(request)).begun_in("to")
    return page(request, uuid7(), form, heading=_("New message"))


@require_safe
@opening.never_ahead
def reply(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    return _answer_page(request, answer_to(request, entry), heading=_("Reply"))


@require_safe
@opening.never_ahead
def reply_all(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    return _answer_page(request, answer_to(request, entry, to_all=True), heading=_("Reply All"))


@require_safe
@opening.never_ahead
def forward(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    if not sending.may_write_new_messages(request.user):
        raise PermissionDenied(_("Your account can answer messages, but not write new ones."))
    answer = answer_to(request, entry, is_forward=True)
    key = sealing.open_message_key(answer.entry)
    return _answer_page(request, answer, heading=_("Forward"), carried=attachments.listed(answer.message, key))


def _answer_page(request: AuthenticatedRequest, answer: Answer, **context: Any) -> HttpResponse:
    quotes = replies.quoted(answer.entry)
    people = {} if answer.is_forward else replies.recipients(answer.message, request.user, to_all=answer.to_all)
    typed, subject = replies.typed(people), replies.subject_of(answer, quotes[0]["subject"])
    text = DraftText(to=typed["to"], cc=typed["cc"], subject=subject)
    hidden = {"answers": answer.entry.id, "to_all": answer.to_all, "is_forward": answer.is_forward}
    form = ComposeForm.of(text, **hidden, **_signed(request)).begun_in("to" if answer.is_forward else "body")
    is_reply = not answer.is_forward
    if is_reply and not any(people.values()):
        raise PermissionDenied(_("There is nobody left to reply to."))
    if is_reply and not request.user.organization.replies_may_change_recipients:
        context["fixed"] = people
    return page(request, uuid7(), form, is_reply=is_reply, quotes=quotes, **context)


def _signed(request: AuthenticatedRequest) -> dict[str, str]:
    """The body of a message nobody has begun: the signature, below room to write."""
    signature = signatures.signature_of(request.user)
    return {"body": f"\n\n{signature}"} if signature else {}


def answer_to(
    request: AuthenticatedRequest, entry: uuid.UUID, *, to_all: bool = False, is_forward: bool = False
) -> Answer:
    answer = Answer(access.openable_entry(request.user, entry), to_all, is_forward)
    replies.refuse_unless_allowed(answer)
    opening.note(request, answer.entry)
    return answer
