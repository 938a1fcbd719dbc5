"""Destroying one's own: drafts, and copies in Deleted Items. There is no Undo, so that it is asked first."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.http import AuthenticatedRequest, own_path
from messaging import folders
from messaging.models import MailboxEntry
from messaging.rows import Row

from .folders import shown, tell, ticked
from .navigation import mailbox_context

Folder = MailboxEntry.Folder


@require_POST
def discard(request: AuthenticatedRequest) -> HttpResponse:
    ids = ticked(request)
    if not _is_sure(request) and (rows := folders.drafts_among(request.user, ids)):
        return ask_whether_to_discard(request, rows)
    count = folders.discard(actor=request.user, entry_ids=ids) if _is_sure(request) else 0
    if ids and not count:
        messages.info(request, _("Nothing was discarded: what you ticked was sent or discarded meanwhile."))
    return tell(request, count, ngettext("%(count)d draft discarded.", "%(count)d drafts discarded.", count))


def ask_whether_to_discard(request: AuthenticatedRequest, rows: list[Row], *, keeps_at: str = "") -> HttpResponse:
    return _ask(request, Folder.DRAFTS, rows, "discard", keeps_at)


@require_POST
def remove(request: AuthenticatedRequest) -> HttpResponse:
    ids = ticked(request)
    if not _is_sure(request) and (rows := folders.deleted_among(request.user, ids)):
        return _ask(request, Folder.DELETED, rows, "remove")
    count = folders.remove(actor=request.user, entry_ids=ids) if _is_sure(request) else 0
    if ids and not count:
        messages.info(request, _("Nothing was deleted: what you ticked is not in Deleted Items any more."))
    return tell(request, count, ngettext("%(count)d message removed.", "%(count)d messages removed.", count))


def _is_sure(request: AuthenticatedRequest) -> bool:
    return request.POST.get("sure") == "yes"


def _ask(request: AuthenticatedRequest, folder: str, rows: list[Row], verb: str, keeps_at: str = "") -> HttpResponse:
    leads_to = own_path(request.POST.get("next")) or reverse(folder)
    context = {
        **mailbox_context(request, folder),
        "rows": shown(rows),
        "sent": sum(row.kind == MailboxEntry.Kind.SENT for row in rows),
        "next": leads_to,
        "keep": keeps_at or leads_to,
    }
    return render(request, f"messaging/{verb}.html", context)
