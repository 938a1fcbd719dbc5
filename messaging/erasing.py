"""Erasing a person at their request: their copies and their personal data are destroyed, what others hold stays.

The order itself ends their access, destroys what the directories know and what administrators wrote down of them, and
takes back mail that has not left. The rest may be long, and is worked off by the clock in small transactions: files
with a row of theirs that wait to be imported; copies, key by key; drafts; their address and name in other people's
histories; and at last, once the mail that tells them of it has come to an end, their log-ins, and the address in
licence counts (which stay exact) and in the list of outgoing mail. What is left to do stands in the rows themselves, so
whoever is killed on the way is followed by the next.
"""

import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import erasing as directory
from accounts.models import User
from portal import audit, imports, letters, moments, outbox
from portal.mentions import mentioning
from portal.models import ImportProblem, OutgoingMail

from . import drafts
from .models import ApprovedReading, Erasure, MailboxEntry, Recipient, RecipientUse

KIND = "erased"
TASK = "messaging.tasks.erase_people"
_ROWS = 250
Kind = MailboxEntry.Kind


class CannotErase(Exception):
    """Why not, in a sentence."""


@dataclass(frozen=True)
class Reach:
    """What erasing destroys and what it leaves, as the page says it before."""

    copies: int
    drafts: int
    held: int  # messages of theirs of which others hold copies
    holders: int


def reach(user: User) -> Reach:
    """Three queries."""
    own = MailboxEntry.objects.filter(owner=user, removed_at__isnull=True)
    others = MailboxEntry.objects.filter(message__sender=user, removed_at__isnull=True).exclude(owner=user)
    return Reach(
        copies=own.exclude(kind=Kind.DRAFT).count(),
        drafts=own.filter(kind=Kind.DRAFT).count(),
        held=others.values("message").distinct().count(),
        holders=others.values("owner").distinct().count(),
    )


def why_not(actor: User, user: User) -> str:
    if user.pk == actor.pk:
        return _("You cannot erase yourself.")
    if user.is_erased:
        return _("This person has been erased already.")
    if user.is_staff or user.is_superuser:
        return _("This is an administrator. Take that away first.")
    return ""


@transaction.atomic
def order(*, actor: User, user: User) -> Erasure:
    """Begin: from here on the person cannot come in, and there is no way back. CannotErase says why not."""
    locked = User.objects.select_for_update(of=("self",)).select_related("organization", "domain").get(pk=user.pk)
    if problem := why_not(actor, locked):
        raise CannotErase(problem)
    organization, address = locked.organization, locked.address
    erasure = Erasure.objects.create(
        organization=organization, user=locked, actor=actor, address=address, ordered_at=moments.now()
    )
    outbox.cancel(OutgoingMail.objects.filter(finished_at__isnull=True, organization=organization, to_address=address))
    _forget_what_was_written_of(locked)
    directory.strip_identity(locked)
    audit.record(organization, "user.erasure_ordered", actor=actor, about=locked.pk)
    told = outbox.new_mail(
        organization=organization,
        kind=KIND,
        about=erasure.pk,
        to_address=address,
        dedupe_key=f"{KIND}:{erasure.pk}",
        due_at=erasure.ordered_at,
    )
    outbox.enqueue([told])
    transaction.on_commit(lambda: outbox.wake_up(TASK))
    return erasure


def _forget_what_was_written_of(user: User) -> None:
    """By administrators: wrong rows of imported files, and reasons for reading messages; their own reasons too."""
    names = (user.address, user.name)
    rows = ImportProblem.objects.filter(of_import__organization=user.organization_id)
    mentioning(rows, "text", names).update(text=_("This row is erased."))
    reasons = ApprovedReading.objects.filter(organization=user.organization_id)
    of_them = reasons.filter(Q(asked_by=user) | Q(message__sender=user)) | mentioning(reasons, "reason", names)
    of_them.update(reason=_("This reason is erased."))


def work_off(*, seconds: float = 20) -> int:
    """Go on with what is ordered, oldest first, for so long at most; returns how many came to an end."""
    ends = time.monotonic() + seconds
    finished = 0
    for erasure in Erasure.objects.filter(finished_at__isnull=True).select_related("user__organization").order_by("id"):
        imports.forget_person(erasure.user.organization, erasure.address)
        while time.monotonic() < ends and (_destroy_copies(erasure) or _discard_drafts(erasure) or _forget(erasure)):
            pass
        finished += time.monotonic() < ends and _finish(erasure)
    return finished


def _destroy_copies(erasure: Erasure) -> int:
    """Keys of some of their copies, of whatever they received or sent; returns how many."""
    held = MailboxEntry.objects.filter(owner=erasure.user_id, removed_at__isnull=True).exclude(kind=Kind.DRAFT)
    with transaction.atomic():
        ids = list(held.select_for_update(skip_locked=True).order_by("id").values_list("id", flat=True)[:_ROWS])
        count = MailboxEntry.objects.filter(id__in=ids).update(wrapped_key=None, removed_at=Now())
        Erasure.objects.filter(pk=erasure.pk).update(copies=F("copies") + count)
    return count


@transaction.atomic
def _discard_drafts(erasure: Erasure) -> bool:
    """One of their drafts, whole."""
    held = MailboxEntry.objects.filter(owner=erasure.user_id, kind=Kind.DRAFT).select_related("message")
    entry = held.select_for_update(skip_locked=True, of=("self",)).first()
    if entry is not None:
        drafts.discard_draft(entry=entry)
    return entry is not None


@transaction.atomic
def _forget(erasure: Erasure) -> int:
    """Their address and name in some rows of other people's histories."""
    user = erasure.user
    rows = Recipient.objects.filter(user=user).exclude(address=user.address)
    ids = list(rows.values_list("id", flat=True)[:_ROWS])
    Recipient.objects.filter(id__in=ids).update(address=user.address, name=user.name)
    return len(ids)


@transaction.atomic
def _finish(erasure: Erasure) -> bool:
    """The last step: not before the mail that tells them has left or failed."""
    waiting = Erasure.objects.select_for_update(skip_locked=True).filter(pk=erasure.pk, finished_at__isnull=True)
    # Some rows may have been passed over, for somebody held them at that moment.
    if MailboxEntry.objects.filter(owner=erasure.user_id, removed_at__isnull=True).exists():
        return False
    if not waiting.exists() or OutgoingMail.objects.filter(about=erasure.pk, finished_at__isnull=True).exists():
        return False
    user, address, organization = erasure.user, erasure.address, erasure.user.organization
    RecipientUse.objects.filter(sender__organization=organization, address=address).update(address=user.address)
    directory.forget_log_ins(user, address)
    mails = OutgoingMail.objects.filter(organization=organization, to_address=address)
    mails.update(to_address=user.address, server_reply="", bounce_words="")
    Erasure.objects.filter(pk=erasure.pk).update(address="", finished_at=Now())
    copies = Erasure.objects.values_list("copies", flat=True).get(pk=erasure.pk)
    audit.record(organization, "user.erased", actor=erasure.actor, about=user.pk, copies=copies)
    return True


def render(mail: OutgoingMail) -> letters.Letter | None:
    """To whom is erased, the last mail they get."""
    erasure = Erasure.objects.select_related("organization").filter(pk=mail.about).first()
    if erasure is None:
        return None
    subject = gettext_lazy("Your data is being erased")
    return letters.written(erasure.organization, subject, "messaging/mail/erased", ordered_at=erasure.ordered_at)


outbox.register(KIND, render, label=gettext_lazy("Personal data being erased"))
