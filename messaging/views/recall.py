import uuid
from contextlib import suppress

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import AuthenticatedRequest
from accounts.models import User
from messaging import access, sealing
from messaging.models import MailboxEntry, Recipient
from messaging.recall import AlreadyRecalled, TakenBack, reach, recall_for_recipient, recall_message, taken_back

from .navigation import mailbox_context


@require_http_methods(["GET", "HEAD", "POST"])
def recall(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """Says what will and will not be taken back; the POST does it."""
    copy = access.sent_entry(request.user, entry)
    if request.method == "POST":
        with suppress(AlreadyRecalled):
            recall_message(actor=request.user, message=copy.message)
        copy = access.sent_entry(request.user, entry)  # it may be a draft again: the look-up tells
        messages.success(request, _in_words(taken_back(copy.message)))
    if copy.message.is_recalled():
        return redirect("message", copy.id)
    found = reach(copy.message)
    context = {
        **mailbox_context(request, copy.folder),
        "entry": copy,
        "subject": sealing.open_subject(copy.message, sealing.open_message_key(copy)),
        "inboxes": found.inboxes,
        "read_count": found.read,
        "answers": found.answers,
        "destroys_quotes": copy.message.organization.recall_destroys_quotes,
        "leaving": found.leaving,
    }
    return render(request, "messaging/recall.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def recall_recipient(request: AuthenticatedRequest, entry: uuid.UUID, recipient: uuid.UUID) -> HttpResponse:
    """The same for one recipient."""
    copy, person = _recipient(request.user, entry, recipient)
    if request.method == "POST":
        with suppress(AlreadyRecalled):
            recall_for_recipient(actor=request.user, recipient=person)
        copy, person = _recipient(request.user, entry, recipient)
        messages.success(request, _in_words(taken_back(copy.message, person)))
    if copy.message.is_recalled() or person.recalled_at is not None:
        return redirect("message", copy.id)
    context = {
        **mailbox_context(request, copy.folder),
        "entry": copy,
        "subject": sealing.open_subject(copy.message, sealing.open_message_key(copy)),
        "recipient": person,
    }
    return render(request, "messaging/recall_recipient.html", context)


def _recipient(user: User, entry: uuid.UUID, recipient: uuid.UUID) -> tuple[MailboxEntry, Recipient]:
    copy = access.sent_entry(user, entry)
    return copy, get_object_or_404(copy.message.recipients, id=recipient)


def _in_words(what: TakenBack) -> str:
    text = ngettext(
        "Recalled. The message is gone from %(count)d mailbox.",
        "Recalled. The message is gone from %(count)d mailboxes.",
        what.copies,
    ) % {"count": what.copies}
    if what.leaving:
        text += " " + ngettext(
            "%(count)d notification was already on its way; its link says that the message was recalled.",
            "%(count)d notifications were already on their way; their links say that the message was recalled.",
            what.leaving,
        ) % {"count": what.leaving}
    return text
