import uuid
from html import escape
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.http import AuthenticatedRequest, own_path
from messaging import folders
from messaging.models import MailboxEntry
from messaging.rows import Row

from .navigation import mailbox_context, offer_undo, undo_offered
from .parsing import parsed_uuids

Folder = MailboxEntry.Folder
_NOBODY = uuid.UUID(int=0)
_ANY = str(_NOBODY)


def _folder_page(request: AuthenticatedRequest, folder: str) -> HttpResponse:
    older_than = next(iter(parsed_uuids([request.GET.get("older", "")])), None)
    page = folders.page(request.user, folder, older_than=older_than)
    if older_than and not page.rows:
        return redirect(folder)  # what stood here is deleted; the folder is not empty for that
    return render(
        request,
        f"messaging/{folder}.html",
        {
            **mailbox_context(request, folder),
            "folder": folder,
            "rows": shown(page.rows),
            "older_url": f"{reverse(folder)}?older={page.older_than}" if page.older_than else None,
            "newest_url": reverse(folder) if older_than else None,
            "undo": undo_offered(request),
        },
    )


def shown(rows: list[Row]) -> list[dict[str, Any]]:
    """The lines in words, each with where it leads and what its tick box is called. Ids, and addresses made of them,
    hold nothing to escape; words are escaped here, by Python's own function: Django's first asks of each text whether
    it is a lazy one, which costs more than escaping it."""
    # Filled in line by line, for looking an address or a text up costs more than the rest of the line.
    draft, message = reverse("draft", args=[_NOBODY]), reverse("message", args=[_NOBODY])
    nobody, choose = _("(no recipient yet)"), escape(_("Select %(who)s %(subject)s"))
    shown = []
    for row in rows:
        is_draft, entry = row.kind == MailboxEntry.Kind.DRAFT, row.entry
        who, subject = escape(row.who or nobody), escape(row.subject or "")
        shown.append(
            row._asdict()
            | {
                "id": SafeString(entry),
                "url": SafeString(draft.replace(_ANY, row.message) if is_draft else message.replace(_ANY, entry)),
                "opens": not is_draft and row.subject is not None,
                "who": SafeString(who),
                "title": SafeString(subject or escape(_instead_of_subject(row))),
                "choose": SafeString(choose % {"who": who, "subject": subject}),
            }
        )
    return shown


def _instead_of_subject(row: Row) -> str:
    if row.subject is not None:
        return _("(no subject)")
    return _("Damaged: please tell your administrator") if row.state == "unreadable" else _("Can no longer be opened")


@require_safe
def inbox(request: AuthenticatedRequest) -> HttpResponse:
    return _folder_page(request, Folder.INBOX)


@require_safe
def sent(request: AuthenticatedRequest) -> HttpResponse:
    return _folder_page(request, Folder.SENT)


@require_safe
def drafts(request: AuthenticatedRequest) -> HttpResponse:
    return _folder_page(request, Folder.DRAFTS)


@require_safe
def deleted(request: AuthenticatedRequest) -> HttpResponse:
    return _folder_page(request, Folder.DELETED)


@require_POST
def delete(request: AuthenticatedRequest) -> HttpResponse:
    ids = ticked(request)
    # A second press is answered as the first was: what answered that, with the way back, was perhaps never seen.
    moved = folders.delete(actor=request.user, entry_ids=ids) or folders.deleted_already(request.user, ids)
    if moved:
        text = ngettext(
            "%(count)d message moved to Deleted Items.", "%(count)d messages moved to Deleted Items.", len(moved)
        )
        offer_undo(request, text % {"count": len(moved)}, "restore", moved)
    elif ids:
        text = ngettext(
            "Nothing was deleted: the message is not there any more.",
            "Nothing was deleted: the messages are not there any more.",
            len(ids),
        )
        messages.info(request, text)
    return back(request)


@require_POST
def restore(request: AuthenticatedRequest) -> HttpResponse:
    count = folders.restore(actor=request.user, entry_ids=ticked(request))
    return tell(request, count, ngettext("%(count)d message restored.", "%(count)d messages restored.", count))


@require_POST
def mark_read(request: AuthenticatedRequest) -> HttpResponse:
    count = folders.mark_read(actor=request.user, entry_ids=ticked(request), read=True)
    return tell(request, count, ngettext("%(count)d message marked read.", "%(count)d messages marked read.", count))


@require_POST
def mark_unread(request: AuthenticatedRequest) -> HttpResponse:
    count = folders.mark_read(actor=request.user, entry_ids=ticked(request), read=False)
    text = ngettext("%(count)d message marked unread.", "%(count)d messages marked unread.", count)
    return tell(request, count, text)


def tell(request: AuthenticatedRequest, count: int, text: str) -> HttpResponse:
    """Back to the list, where it says how many, if any."""
    if count:
        messages.success(request, text % {"count": count})
    return back(request)


def ticked(request: AuthenticatedRequest) -> list[uuid.UUID]:
    """What was selected in the list; it is said where that is nothing."""
    ids = parsed_uuids(request.POST.getlist("entry"))
    if not ids:
        messages.info(request, _("Tick the messages first."))
    return ids


def back(request: AuthenticatedRequest) -> HttpResponse:
    return redirect(own_path(request.POST.get("next")) or "inbox")
