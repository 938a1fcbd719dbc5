"""What the page for writing sends: saved first, whatever the button; then sent, discarded or shown again."""

import uuid
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import AuthenticatedRequest
from accounts.models import User
from messaging import access, attachments, drafts, folders, sealing, sending, sent_meanwhile, undo
from messaging.drafts import SavedDraft
from messaging.forms import ComposeForm
from messaging.models import MailboxEntry, Message
from messaging.replies import Answer
from messaging.storage import storage_of
from messaging.uploads import SealedUpload, receives_files
from portal import dates, moments
from portal.ids import uuid7

from .compose import answer_to
from .compose_page import draft_page
from .for_good import ask_whether_to_discard
from .navigation import can_undo_sending, offer_undo
from .parsing import parsed_uuids


@receives_files
@require_http_methods(["GET", "HEAD", "POST"])
def draft(request: AuthenticatedRequest, message: uuid.UUID) -> HttpResponse:
    """A draft: shown, written over, sent or discarded."""
    entry = access.draft_entry(request.user, message)
    if entry is None and Message.objects.filter(id=message).exists():
        return _already_sent(request, message)
    if request.method == "POST":
        try:
            return _write(request, message, entry)
        except (drafts.SavedMeanwhile, drafts.AlreadySent):
            return draft(request, message)  # whichever it is now
    if entry is None:
        raise Http404
    return draft_page(request, entry)


_SENDS = ("send", "send_confirmed")

_SECOND = gettext_lazy(
    "This draft was saved in another window meanwhile. Both are kept: this is what you wrote here, the other one is in "
    "Drafts."
)
_SENT = gettext_lazy("This message has been sent already. What you wrote here since is kept as a draft of its own.")
_DISCARDED = gettext_lazy(
    "This draft was discarded meanwhile. What you wrote here is kept as a new one. Look it over before you send it: "
    "its files and what it answered may be missing."
)
_UNANSWERABLE = gettext_lazy(
    "What you were answering can be opened no more: it was recalled, has expired or was removed. Your text is kept as "
    "a draft of its own."
)


def _already_sent(request: AuthenticatedRequest, message_id: uuid.UUID) -> HttpResponse:
    action = request.POST.get("action", "save")
    if action == "autosave":
        return JsonResponse({"sent": True})
    if request.method == "POST" and action != "discard":
        kept = sent_meanwhile.keep(
            actor=request.user,
            message_id=message_id,
            form=ComposeForm(request.POST),
            uploads=_uploads(request),
            is_repeated=action in _SENDS,
        )
        if kept is not None:
            return _after_saving(request, kept, action, str(_SENT))
    sent = MailboxEntry.objects.filter(message=message_id, owner=request.user, kind=MailboxEntry.Kind.SENT).first()
    if action in _SENDS and sent is not None and can_undo_sending(request.user, sent.id):
        _offer_undo_sending(request, sent)  # a second click, whose answer takes the place of the first one's
    else:
        messages.info(request, _("This message has been sent already."))
    return redirect("sent")


def _write(request: AuthenticatedRequest, message_id: uuid.UUID, entry: MailboxEntry | None) -> HttpResponse:
    """Save first, whatever the button: from then on nothing that goes wrong can lose what was written."""
    form = ComposeForm(request.POST)
    action = request.POST.get("action", "save")
    text = form.text(drafts.open_draft(entry) if entry else None)
    answer, warning = (None, "") if entry else _answered(request, form)
    if entry is None and text.revision is not None:
        if action == "discard":
            return redirect("drafts")
        # Under another id: a second click must not find it and send it.
        message_id, warning = uuid7(), warning or str(_DISCARDED)
    removed = parsed_uuids(request.POST.getlist("remove"))
    names = _names_of(removed, entry) if entry and removed else []
    saved = drafts.save_draft(
        actor=request.user,
        message_id=message_id,
        entry=entry,
        text=text,
        answer=answer,
        uploads=_uploads(request),
        removed_attachments=removed,
        keeps_newer=action == "upload",
    )
    for name in names:
        messages.success(request, _("“%s” was removed.") % name)
    if action != "upload":  # what is said of that is said of its file
        saved.problems += form.problems()
    return _after_saving(request, saved, action, str(_SECOND) if saved.is_second else warning)


def _names_of(files: list[uuid.UUID], entry: MailboxEntry) -> list[str]:
    listed = attachments.listed(entry.message, sealing.open_message_key(entry))
    return [file.name for file in listed if file.file_id in files]


def _uploads(request: AuthenticatedRequest) -> list[SealedUpload]:
    return cast("list[SealedUpload]", request.FILES.getlist("files"))


def _after_saving(request: AuthenticatedRequest, saved: SavedDraft, action: str, warning: str) -> HttpResponse:
    if action == "autosave":
        return _autosaved(saved, warning)
    if action == "discard" and not saved.is_second:
        rows = folders.drafts_among(request.user, [saved.entry.id])
        keeps_at = reverse("draft", args=[saved.entry.message_id])
        return ask_whether_to_discard(request, rows, keeps_at=keeps_at)
    if action in _SENDS and not saved.problems and not warning:
        return _send(request, saved.entry, seen=request.POST.getlist("seen") if action == "send_confirmed" else [])
    if warning:
        messages.warning(request, warning)
    for problem in saved.problems:
        messages.error(request, problem)
    if action in ("attach", "upload"):
        _tell_of_storage(request)
    is_about_files = action == "attach" or "remove" in request.POST
    if action == "save" and not warning and not is_about_files:
        messages.success(request, _("Draft saved."))
    if action == "save" and (missing := request.POST.get("missing")):
        messages.warning(request, _("Not attached: %s.") % missing[:_MISSING])
    address = reverse("draft", args=[saved.entry.message_id])
    return redirect(f"{address}#files" if is_about_files else address)


_MISSING = 1000  # characters of what a script says is not attached


def _tell_of_storage(request: AuthenticatedRequest) -> None:
    storage = storage_of(request.user)
    if storage.is_nearly_full:
        text = _("Your storage is nearly full: %(left)s left. “Storage”, under Account, shows what takes most.")
        messages.warning(request, text % {"left": filesizeformat(storage.left)})


def _autosaved(saved: SavedDraft, warning: str) -> JsonResponse:
    """For the script that saves while one types: where the draft is now, which save this was, and when."""
    return JsonResponse(
        {
            "url": reverse("draft", args=[saved.entry.message_id]),
            "revision": saved.entry.message.revision,
            "warning": warning,
            "at": dates.clock(moments.now()),
        }
    )


def _answered(request: AuthenticatedRequest, form: ComposeForm) -> tuple[Answer | None, str]:
    """What a new draft answers, if anything; or what is told where that can be answered no more."""
    form.is_valid()
    told = form.cleaned_data
    if not told.get("answers"):
        return None, ""
    try:
        return answer_to(request, told["answers"], to_all=told["to_all"], is_forward=told["is_forward"]), ""
    except (Http404, access.Gone):
        if not _had_a_copy(request.user, form):
            raise
        return None, str(_UNANSWERABLE)


def _had_a_copy(user: User, form: ComposeForm) -> bool:
    return MailboxEntry.objects.filter(id=form.cleaned_data["answers"], owner=user).exists()


def _send(request: AuthenticatedRequest, entry: MailboxEntry, *, seen: list[str]) -> HttpResponse:
    try:
        sent = sending.send_draft(actor=request.user, entry=entry, seen=seen)
    except sending.NotSent as not_sent:
        return draft_page(request, entry, problems=not_sent.problems, status=422)
    except sending.NeedsConfirmation as needed:
        return draft_page(request, entry, cautions=needed.cautions, status=422)
    _offer_undo_sending(request, sent)
    return redirect("sent")


def _offer_undo_sending(request: AuthenticatedRequest, sent: MailboxEntry) -> None:
    text = sending.sent_summary(sent.message.recipients.count())
    offer_undo(request, text, "undo_sending", [sent.id], seconds=request.user.organization.undo_seconds)


@require_POST
def undo_sending(request: AuthenticatedRequest) -> HttpResponse:
    """Take the message back before anybody saw it; the draft opens as it was."""
    entry_id = next(iter(parsed_uuids(request.POST.getlist("entry"))), None)
    if entry_id is None:
        raise Http404
    if back := MailboxEntry.objects.filter(id=entry_id, owner=request.user, kind=MailboxEntry.Kind.DRAFT).first():
        return redirect("draft", back.message_id)  # a second press
    try:
        message = undo.undo_sending(actor=request.user, entry=access.sent_entry(request.user, entry_id))
    except undo.TooLate:
        messages.error(request, _("Too late to undo: the recipients can see the message. You can still recall it."))
        return redirect("message", entry_id)
    messages.success(request, _("Taken back. Nobody has seen it; here is your draft."))
    return redirect("draft", message.id)
