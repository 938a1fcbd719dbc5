import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from accounts.models import User
from messaging import access, attachments, expiry, replies, rules, sealing, sending, tracking
from messaging.models import MailboxEntry, Message, Recipient
from portal.prepared import Prepared

from . import opening
from .navigation import mailbox_context

Role = Recipient.Role


class AnotherForm(forms.Form):
    """To whom else; resending.py says what is wrong with it."""

    address = forms.CharField(
        label=gettext_lazy("Email Address"),
        required=False,
        widget=forms.EmailInput(attrs={"required": True, "spellcheck": "false"}),
    )

    @classmethod
    def typed(cls, address: str) -> "AnotherForm":
        """To be mended."""
        form = cls({"address": address})
        form.fields["address"].widget.attrs["autofocus"] = True
        return form


@require_safe
@opening.never_ahead
def message(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """One's own copy of a message, opened; the first time, the sender's history notes it."""
    copy = access.openable_entry(request.user, entry)
    opening.note(request, copy)
    return message_page(request, copy)


def message_page(
    request: AuthenticatedRequest, copy: MailboxEntry, *, another: AnotherForm | None = None, status: int = 200
) -> HttpResponse:
    """The message; with `another`, what was typed there to send it to another address, to be mended."""
    context = {**mailbox_context(request, copy.folder), **_message_context(request.user, copy)}
    if context.get("can_send_to_another"):
        context["another"] = another or AnotherForm()
    return render(request, "messaging/message.html", context, status=status)


def _message_context(user: User, copy: MailboxEntry) -> dict[str, Any]:
    key = sealing.open_message_key(copy)
    files = attachments.listed(copy.message, key)
    quoted = rules.quoted_by(copy.message)
    verbs = _readers_verbs(user, copy, quoted)
    answering = {verb: verbs[verb] for verb in ("can_reply", "can_reply_all", "can_forward")}
    return {
        "entry": copy,
        "message": copy.message,
        "subject": sealing.open_subject(copy.message, key),
        "sender_name": copy.message.sender.get_full_name(),
        "sender_address": copy.message.sender.address,
        **_listed_recipients(copy, with_bcc=copy.is_authors),
        "state": _state(copy),
        "attachments": [_file(copy, file) for file in files],
        "allowed": rules.allowed_in_words(copy, quoted, **answering),
        "body_url": reverse("body", args=[copy.id]),
        "is_own_copy": copy.kind == MailboxEntry.Kind.OWN_COPY,
        **verbs,
        **(_senders_part(copy, files, quoted) if copy.is_authors else {}),
    }


def _readers_verbs(user: User, copy: MailboxEntry, quoted: Sequence[Message]) -> dict[str, bool]:
    return {
        "can_reply": replies.may_reply(copy, to_all=False),
        "can_reply_all": replies.may_reply(copy, to_all=True),
        "can_print": rules.may_print(copy, quoted),
        "can_download": rules.may_download(copy, quoted),
        "can_forward": sending.may_write_new_messages(user) and replies.may_forward(copy, quoted),
        "can_restore": copy.folder == MailboxEntry.Folder.DELETED,
    }


def _senders_part(
    copy: MailboxEntry, files: list[attachments.NamedAttachment], quoted: Sequence[Message]
) -> dict[str, Any]:
    """What has become of it, and what only its author may do."""
    tracked = tracking.tracking(copy.message, {file.id: file.name for file in files})
    return {
        "tracking": tracked,
        "read_count": sum(one.is_read for one in tracked),
        "can_recall": not copy.message.is_recalled(),
        "can_extend": expiry.may_extend(copy.message, copy.now),  # type: ignore[attr-defined]
        "can_expire": _state(copy) == "",
        "can_send_to_another": _may_send_to_another(copy, quoted),
    }


def may_send_to_another(copy: MailboxEntry) -> bool:
    """Whether its author is offered to."""
    return _may_send_to_another(copy, rules.quoted_by(copy.message))


def _may_send_to_another(copy: MailboxEntry, quoted: Sequence[Message]) -> bool:
    is_senders = sending.may_write_to_anyone(copy.message.sender)
    return _state(copy) == "" and is_senders and replies.may_forward(copy, quoted)


_recipients = Prepared(lambda message: Recipient.objects.filter(message=message).order_by("id"))


def _listed_recipients(copy: MailboxEntry, *, with_bcc: bool) -> dict[str, list[Recipient]]:
    """To, Cc and, for the author alone, Bcc."""
    listed = _recipients(message=copy.message_id)
    shown = {"to": Role.TO, "cc": Role.CC} | ({"bcc": Role.BCC} if with_bcc else {})
    return {name: [person for person in listed if person.role == role] for name, role in shown.items()}


def _file(copy: MailboxEntry, file: attachments.NamedAttachment) -> dict[str, Any]:
    url = reverse("attachment", args=[copy.id, file.id]) if file.released else ""
    return {"name": file.name, "size": file.size, "url": url, "note": file.note}


def _state(copy: MailboxEntry) -> str:
    if copy.message.is_recalled():
        return "recalled"
    return "expired" if copy.message.is_expired(copy.now) else ""  # type: ignore[attr-defined]


@require_safe
def arrive(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """Where a notification's link leads after logging in: to the message, or to what became of it. Of somebody
    else's message nothing is told; the page offers to log in as another person."""
    if access.entries_of(request.user).filter(id=entry).exists():
        return redirect("message", entry)
    link = reverse("log_in_to_message", args=[request.user.organization.slug, entry])
    return render(request, "messaging/not_yours.html", {**mailbox_context(request), "next": link}, status=404)
