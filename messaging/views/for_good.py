"""Destroying one's own: drafts, and copies in Deleted Items. There is no Undo, so that it is asked first."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.http import AuthenticatedRequest, own_path
from messaging import folders
from messaging.models import MailboxEntry
from messaging.rows import Row

from .folders import back, shown, tell, ticked
from .navigation import mailbox_context
from .parsing import parsed_uuids

Folder = MailboxEntry.Folder


@require_http_methods(["GET", "HEAD", "POST"])
def discard(request: AuthenticatedRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect(Folder.DRAFTS)
    ids = ticked(request)
    if _is_sure(request):
        return _discarded(request, ids)
    if rows := folders.drafts_among(request.user, ids):
        return ask_whether_to_discard(request, rows)
    if ids:
        messages.info(request, _("Nothing was discarded: what you ticked was sent or discarded meanwhile."))
    return back(request)


def _discarded(request: AuthenticatedRequest, ids: list[uuid.UUID]) -> HttpResponse:
    """Where a press before this one was quicker, that has said so."""
    count = folders.discard(actor=request.user, entry_ids=ids)
    if folders.any_sent(request.user, parsed_uuids(request.POST.getlist("message"))):
        messages.info(request, _("What you sent meanwhile was not discarded."))
    return tell(request, count, ngettext("%(count)d draft discarded.", "%(count)d drafts discarded.", count))


def ask_whether_to_discard(request: AuthenticatedRequest, rows: list[Row], *, keeps_at: str = "") -> HttpResponse:
    return _ask(request, Folder.DRAFTS, "discard", rows, keeps_at)


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: AuthenticatedRequest) -> HttpResponse:
    if request.method != "POST":
        return redirect(Folder.DELETED)
    ids = ticked(request)
    if _is_sure(request):
        return _removed(request, ids)
    if rows := folders.deleted_among(request.user, ids):
        keep = own_path(request.POST.get("keep"))
        ends_recall = folders.are_last_of_sent(request.user, [row.entry for row in rows])
        return _ask(request, Folder.DELETED, "remove", rows, keep, ends_recall=ends_recall)
    if ids:
        messages.info(request, _("Nothing was deleted: what you ticked is not in Deleted Items any more."))
    return back(request)


def _removed(request: AuthenticatedRequest, ids: list[uuid.UUID]) -> HttpResponse:
    count = folders.remove(actor=request.user, entry_ids=ids)
    if folders.any_held(request.user, ids):
        messages.info(request, _("What is not in Deleted Items any more was not deleted."))
    text = ngettext("%(count)d message deleted for good.", "%(count)d messages deleted for good.", count)
    return tell(request, count, text)


def _is_sure(request: AuthenticatedRequest) -> bool:
    return request.POST.get("sure") == "yes"


def _ask(
    request: AuthenticatedRequest, folder: str, verb: str, rows: list[Row], keep: str | None, **more: bool
) -> HttpResponse:
    leads_to = own_path(request.POST.get("next")) or reverse(folder)
    context = {
        **mailbox_context(request, folder),
        "rows": shown(rows),
        "next": leads_to,
        "keep": keep or leads_to,
        **more,
    }
    return render(request, f"messaging/{verb}.html", context)
