"""The page on which a message is written: with what is in it so far, what may be chosen, and what is left to use."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.http import AuthenticatedRequest
from accounts.models import User
from messaging import (
    attachment_limits,
    attachments,
    bodies,
    definitions,
    draft_quotes,
    drafts,
    licences,
    rules,
    scanning,
    sealing,
    sending,
)
from messaging.addressing import MAX_RECIPIENTS
from messaging.forms import ComposeForm
from messaging.models import MailboxEntry
from messaging.replies import Person
from portal import moments
from portal.models import Organization

from .navigation import mailbox_context


def draft_page(request: AuthenticatedRequest, entry: MailboxEntry, **more: Any) -> HttpResponse:
    message, key = entry.message, sealing.open_message_key(entry)
    text = drafts.open_draft(entry)
    is_reply = message.in_reply_to_id is not None
    is_fixed = is_reply and not request.user.organization.replies_may_change_recipients
    return page(
        request,
        message.id,
        ComposeForm.of(text),
        heading=_("Reply") if is_reply else _("Draft"),
        is_reply=is_reply,
        fixed={"to": _people(text.to), "cc": _people(text.cc)} if is_fixed else None,
        quotes=draft_quotes.open_quotes(message, key, request.user),
        attachments=attachments.listed(message, key),
        body_html=text.body,
        is_saved=True,
        **more,
    )


def _licence(user: User) -> licences.Usage | None:
    """What is left of this month's licence, for whom one counts."""
    if not sending.may_write_to_anyone(user):
        return None
    return licences.usage(user, licences.month_of(user, moments.now()))


def _definitions(user: User, form: ComposeForm, *, is_reply: bool) -> dict[str, Any]:
    """The choice of definitions, each with what its readers will be told; a reply is always under the default."""
    if is_reply:
        return {"definition": definitions.default_for(user.organization)}
    offered = definitions.offered_to(user)
    # The form holds the choice as text.
    chosen = form["definition"].value() or str(next(one.id for one in offered if one.is_default))
    return {
        "definition": next((one for one in offered if str(one.id) == chosen), None),
        "offered": [(one, rules.preview(one)) for one in offered],
    }


def _people(addresses: str) -> list[Person]:
    return [Person(address) for address in addresses.split(", ") if address]


def page(
    request: AuthenticatedRequest,
    message_id: uuid.UUID,
    form: ComposeForm,
    *,
    is_reply: bool = False,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    quotes = [quote | {"body": bodies.shown(quote["body"])} for quote in context.pop("quotes", [])]
    context = {
        **mailbox_context(request, MailboxEntry.Folder.DRAFTS if context.get("is_saved") else ""),
        "form": form,
        "action": reverse("draft", args=[message_id]),
        "licence": _licence(request.user),
        "may_request_receipt": request.user.is_internal,
        **_definitions(request.user, form, is_reply=is_reply),
        "limits": _limits(request.user.organization),
        "quotes": quotes,
        **context,
    }
    return render(request, "messaging/compose.html", context, status=status)


def _limits(organization: Organization) -> dict[str, Any]:
    """What is said before it is hit."""
    return {
        "file_bytes": organization.max_attachment_mb * attachment_limits.MB,
        "message_bytes": organization.max_message_mb * attachment_limits.MB,
        "storage_bytes": organization.storage_mb * attachment_limits.MB,
        "forbidden": ", ".join(sorted(organization.forbidden_endings)),
        "attachments": attachment_limits.MAX_ATTACHMENTS,
        "recipients": MAX_RECIPIENTS,
        "are_scanned": scanning.is_on(),
        "hold_unscanned": organization.hold_unscanned,
    }
