"""Reading a message's body as an administrator: one asks for a stated reason, another approves, for a while, and the
person whose copy lends its key is told by mail. Each step, and each reading, is in the audit log.

No administrator holds a key to anybody's message. What is opened is opened through a copy that still exists, the
author's first. Where none does (everybody's was recalled, removed or purged) nobody can read it any more.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from portal import audit, letters, moments, outbox
from portal.models import OutgoingMail

from . import sealing
from .models import ApprovedReading, MailboxEntry, Message

KIND = "approved_reading"
# An approval lasts so long, and a request that nobody decides is void after.
READABLE_FOR = timedelta(hours=1)
DECIDE_WITHIN = timedelta(hours=24)
_AUTHORS_FIRST = (MailboxEntry.Kind.SENT, MailboxEntry.Kind.OWN_COPY, MailboxEntry.Kind.RECEIVED)


class NotPossible(Exception):
    """The sentence says why."""


def copy_to_open(message: Message) -> MailboxEntry | None:
    """A copy whose wrap still exists, the author's before a recipient's; None: nobody can read the message any more."""
    ranks = [When(kind=kind, then=Value(rank)) for rank, kind in enumerate(_AUTHORS_FIRST)]
    order = Case(*ranks, output_field=IntegerField())
    held = MailboxEntry.objects.filter(
        message=message, kind__in=_AUTHORS_FIRST, wrapped_key__isnull=False, message__retention_key__destroyed_at=None
    )
    return held.select_related("owner", "message__retention_key").order_by(order, "id").first()


def why_not(message: Message) -> str:
    """Why nobody can read the message any more; empty while somebody's copy can be opened."""
    if copy_to_open(message) is not None:
        return ""
    if message.purged_at is not None:
        return _("The message was destroyed at the end of its retention, and its key with it.")
    if message.is_recalled():
        return _("The message was recalled and its author has removed their copy: its key is gone with both.")
    return _("Everybody has removed their copy of the message, and its key with them.")


@transaction.atomic
def ask(*, actor: User, message: Message, reason: str) -> ApprovedReading:
    """Ask another administrator for approval. NotPossible where there is nothing left to read."""
    if problem := why_not(message):
        raise NotPossible(problem)
    asked = ApprovedReading.objects.create(
        organization=message.organization, message=message, asked_by=actor, asked_at=moments.now(), reason=reason
    )
    _record("asked", actor, asked, reason=reason)
    return asked


@transaction.atomic
def decide(*, actor: User, asked: ApprovedReading, approved: bool) -> None:
    """Approve or refuse, once. NotPossible for one's own asking, for one that is decided or void, and where what was
    asked for is gone by now."""
    locked = ApprovedReading.objects.select_for_update().get(pk=asked.pk)
    now = moments.now()
    if locked.asked_by_id == actor.pk:
        raise NotPossible(_("Nobody approves what they asked for themselves."))
    if locked.decided_at is not None or locked.asked_at < now - DECIDE_WITHIN:
        raise NotPossible(_("This request is decided already, or nobody decided it within 24 hours."))
    locked.decided_by, locked.decided_at = actor, now
    if approved:
        copy = _copy(locked)
        locked.readable_until = now + READABLE_FOR
        _tell_owner(locked, copy)
    locked.save(update_fields=["decided_by", "decided_at", "readable_until"])
    _record("approved" if approved else "refused", actor, locked)


@transaction.atomic
def read(*, actor: User, asked: ApprovedReading) -> tuple[Message, bytes]:
    """The message and its key, for whoever asked, while the approval lasts; NotPossible otherwise. Each is an event."""
    if asked.asked_by_id != actor.pk or not asked.is_readable(moments.now()):
        raise NotPossible(_("The time in which it could be read is over."))
    copy = _copy(asked)
    _tell_owner(asked, copy)  # another's copy than when it was approved, perhaps; each owner is told once
    _record("read", actor, asked, copy_of=copy.owner.address)
    return copy.message, sealing.open_message_key(copy)


def _copy(asked: ApprovedReading) -> MailboxEntry:
    copy = copy_to_open(asked.message)
    if copy is None:
        raise NotPossible(why_not(asked.message))
    return copy


def _record(what: str, actor: User, asked: ApprovedReading, **details: str) -> None:
    audit.record(
        asked.organization,
        f"message.reading_{what}",
        actor=actor,
        about=asked.message_id,
        asked_by=asked.asked_by.address,
        **details,
    )


# --- The mail to the owner ------------------------------------------------------------------------------------


def _tell_owner(asked: ApprovedReading, copy: MailboxEntry) -> None:
    mail = outbox.new_mail(
        organization=asked.organization,
        kind=KIND,
        about=asked.pk,
        to_address=copy.owner.address,
        dedupe_key=f"{KIND}:{asked.pk}:{copy.owner_id}",
        due_at=moments.now(),
    )
    outbox.enqueue([mail])


def render(mail: OutgoingMail) -> letters.Letter | None:
    """Who may read which message, until when, why, and who approved it. Wanted whatever becomes of the message."""
    asked = ApprovedReading.objects.select_related("organization", "message__sender", "asked_by", "decided_by").filter(
        pk=mail.about
    )
    return letters.written(
        mail.organization,
        gettext_lazy("An administrator may read a message of yours"),
        "messaging/mail/approved_reading",
        asked=asked.get(),
    )


outbox.register(KIND, render, label=gettext_lazy("Administrator may read a message"))
