"""The outbox: mail that is to leave, as rows; the database is the queue.

A row is inserted in the transaction of what it is about and holds no content. A worker claims rows under a lease
(claims.py), and for one after the other renders it, has one SMTP conversation (delivery.py) and writes down what came
of it (verdicts.py):

    due ── claim ──▶ leased ── right before DATA ──▶ sending ──▶ sent | failed
     ▲                 │                               │
     └── put off ◀─────┴───────────────────────────────┤ 4xx, time-out, no connection: backoff, 48 hours at most
     ambiguous ◀───────────────────────────────────────┘ lost after the final dot: once more, same Message-ID

Every write of a worker is `UPDATE … WHERE id AND fence`. The fence grows with each claim and each cancellation, so
the write of a worker that was overtaken changes nothing. Taking a mail back (`cancel`) and letting it go
(`leased → sending`) are each one conditional UPDATE of the same row: whoever comes second sees no row changed.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise

from . import bulk, envelope, moments, wordings
from .ids import uuid7, uuid7s
from .letters import Letter
from .models import Organization, OutgoingMail

logger = logging.getLogger(__name__)

State = OutgoingMail.State
Render = Callable[[OutgoingMail], Letter | EmailMessage | None]
Prepare = Callable[[Sequence[OutgoingMail]], Render]
OnFailure = Callable[[OutgoingMail], None]


@dataclass(frozen=True)
class Kind:
    prepare: Prepare
    failed: OnFailure | None = None
    label: Promise | str = ""
    tells_of_closing: bool = False

    def render(self, mail: OutgoingMail) -> Letter | EmailMessage | None:
        return self.prepare([mail])(mail)


kinds: dict[str, Kind] = {}


def register(
    kind: str,
    render: Render,
    failed: OnFailure | None = None,
    *,
    label: Promise | str = "",
    tells_of_closing: bool = False,
) -> None:
    """Say how mails of a kind are written at the moment of sending; None from `render`: no longer wanted.

    `failed` runs in the transaction in which such a mail is given up. label: what the console calls it; one that an
    organisation may word has its label there (wordings.py). tells_of_closing: it leaves although its organisation is
    being closed, as no other mail does.
    """
    kinds[kind] = Kind(lambda _mails: render, failed, label, tells_of_closing)


def register_many(kind: str, prepare: Prepare, failed: OnFailure | None = None) -> None:
    """The same for a kind of which many leave at once: `prepare(mails)` looks up for all of them what they tell, and
    returns their `render`."""
    kinds[kind] = Kind(prepare, failed)


def in_words(kind: str) -> str:
    """What a mail of this kind is, for those who look after them; of a kind that nobody registers, its name."""
    if wording := wordings.wording_of(kind):
        return str(wording.label)
    known = kinds.get(kind)
    return str(known.label) if known and known.label else kind


# --- Putting in, taking back --------------------------------------------------------------------------------


def new_mail(
    *,
    organization: Organization,
    kind: str,
    about: UUID,
    to_address: str,
    dedupe_key: str,
    due_at: datetime,
    not_after: datetime | None = None,
) -> OutgoingMail:
    """An unsaved mail; its Message-ID and Date stand from now on, whatever happens to it."""
    mail_id = uuid7()
    return OutgoingMail(
        id=mail_id,
        organization=organization,
        kind=kind,
        about=about,
        to_address=to_address,
        dedupe_key=dedupe_key,
        due_at=due_at,
        not_after=not_after,
        message_id=envelope.message_ids([mail_id], organization)[0],
        date=moments.truncated(due_at),
    )


def enqueue(mails: Sequence[OutgoingMail]) -> None:
    """Insert in the caller's transaction; a mail whose dedupe key is there already is left out."""
    if mails:
        bulk.insert(mails, ignore_conflicts=True)
        transaction.on_commit(wake_up)


def enqueue_like(mail: OutgoingMail, *, about: list[UUID], to_address: list[str], dedupe_key: list[str]) -> list[UUID]:
    """The same for many mails, all like this (unsaved) one but for what they are about and whom they go to; returns
    their ids. IntegrityError where one of the keys is there already: to step aside of those takes PostgreSQL as long as
    the rows themselves."""
    mail_ids = uuid7s(len(about))
    columns: dict[str, list[Any]] = {
        "id": mail_ids,
        "about": about,
        "to_address": to_address,
        "dedupe_key": dedupe_key,
        "message_id": envelope.message_ids(mail_ids, mail.organization),
    }
    bulk.insert_like(mail, columns)
    transaction.on_commit(wake_up)
    return mail_ids


def wake_up(task: str = "portal.tasks.deliver_due_mail") -> None:
    """Ask a worker to look now. Losing the call costs seconds: the clock looks every few seconds anyway."""
    try:
        current_app.send_task(task, retry=False)
    except Exception as error:  # whatever the broker has, the request that sends must not suffer from it
        logger.warning("The broker took no wake-up call, mail waits for the clock: %s", error)


@dataclass(frozen=True)
class Cancellation:
    cancelled: int
    already_leaving: int  # in the server's hands now, or perhaps delivered already


def cancel(mails: QuerySet[OutgoingMail]) -> Cancellation:
    """Take back what has not left, in the caller's transaction; none of it is marked sending after the commit."""
    # The states stand outside the sub-query: PostgreSQL judges them again on a row it had to wait for.
    chosen = OutgoingMail.objects.filter(pk__in=mails.order_by().values("pk"))
    final = {
        "state": State.CANCELLED,
        "finished_at": moments.now(),
        "lease_until": None,
        "fence": F("fence") + 1,
    }
    perhaps_left = chosen.filter(state__in=[State.LEASED, State.AMBIGUOUS], ambiguous_at__isnull=False).update(**final)
    cancelled = chosen.filter(state__in=[State.DUE, State.LEASED]).update(**final)
    leaving = chosen.filter(state=State.SENDING).count()
    return Cancellation(cancelled, leaving + perhaps_left)


def write_anew(mails: QuerySet[OutgoingMail]) -> int:
    """What these mails tell has changed, in the caller's transaction: none that is being written at this moment leaves
    as it is; a worker takes it up again. Returns how many have left already, or perhaps."""
    # In one order, for two changes may concern the same two mails.
    held = list(mails.order_by("pk").select_for_update().values_list("pk", flat=True))
    chosen = OutgoingMail.objects.filter(pk__in=held)
    chosen.filter(state=State.LEASED).update(state=State.DUE, lease_until=None, fence=F("fence") + 1)
    return chosen.filter(Q(state=State.SENDING) | Q(ambiguous_at__isnull=False)).count()


def tell_of_failure(mail: OutgoingMail) -> None:
    """What its kind does when a mail has failed for good, in the caller's transaction."""
    kind = kinds.get(mail.kind)
    if kind is not None and kind.failed is not None:
        kind.failed(mail)
