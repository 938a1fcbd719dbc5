"""What somebody was writing when their session ended is a draft once they have logged in again. Whatever button they
had pressed: nothing is sent by it."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import ResolverMatch, reverse

from accounts import kept_texts
from accounts.models import User

from . import access, drafts
from .forms import ComposeForm
from .models import Message
from .replies import Answer


def restore(user: User, match: ResolverMatch, fields: dict[str, str]) -> str | None:
    """Save the form as the draft it was of; the draft's address. None where it may not be written any more: it was
    sent meanwhile, or what it answers is gone."""
    message_id = match.kwargs["message"]
    entry = access.draft_entry(user, message_id)
    if entry is None and Message.objects.filter(id=message_id).exists():
        return None
    form = ComposeForm(fields)
    try:
        saved = drafts.save_draft(
            actor=user,
            message_id=message_id,
            entry=entry,
            text=form.text(drafts.open_draft(entry) if entry else None),
            answer=_answer(user, form) if entry is None else None,
        )
    except (access.Gone, Http404, PermissionDenied):
        return None
    return reverse("draft", args=[saved.entry.message_id])


def _answer(user: User, form: ComposeForm) -> Answer | None:
    form.is_valid()
    told = form.cleaned_data
    if not told.get("answers"):
        return None
    return Answer(access.openable_entry(user, told["answers"]), told["to_all"], told["is_forward"])


kept_texts.register("draft", restore)
