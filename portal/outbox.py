"""The outbox: mail that is to leave, as rows; the database is the queue.

A row is inserted in the transaction of what it is about and holds no content. A worker claims rows under a lease
(claims.py), and for one after the other renders it, has one SMTP conversation and writes down what came of it:

    due ── claim ──▶ leased ── right before DATA ──▶ sending ──▶ sent | failed
     ▲                 │                               │
     └── put off ◀─────┴───────────────────────────────┤ 4xx, time-out, no connection: backoff, 48 hours at most
     ambiguous ◀───────────────────────────────────────┘ lost after the final dot: once more, same Message-ID

Every write of a worker is `UPDATE … WHERE id AND fence`. The fence grows with each claim and each cancellation, so
the write of a worker that was overtaken changes nothing. Taking a mail back (`cancel`) and letting it go
(`leased → sending`) are each one conditional UPDATE of the same row: whoever comes second sees no row changed.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet

from . import bulk, claims, connections, envelope, moments, smtp, watchdog
from .claims import Claim
from .dkim_keys import Signer
from .holds import Holds
from .ids import uuid7
from .letters import Letter
from .models import Organization, OutgoingMail
from .return_paths import ReturnPaths
from .routes import Destination, Routes
from .smtp import Outcome, Result

logger = logging.getLogger(__name__)

FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=48)
# Lower than tries in 48 hours come to by themselves: a mail that takes its worker down each time ends here.
MOST_ATTEMPTS = 100
# Where as many connections to a host are open as are allowed, its mail stands back for so long; a worker that has met
# that so often in a turn leaves the rest to those who hold the connections.
BUSY_DELAY = timedelta(seconds=2)
MOST_BUSY = 20
# A worker claims twice as many as the last time if those took less than QUICK_SECONDS together, else half as many; what
# it has not begun after PATIENCE_SECONDS, it gives back.
MOST_AT_ONCE = 64
QUICK_SECONDS = 1
PATIENCE_SECONDS = 2
# Seconds between tries of writing down what became of a mail; together far less than the lease.
_SETTLE_PAUSES = (0.2, 1, 2, 4, 8)

State = OutgoingMail.State
Render = Callable[[OutgoingMail], Letter | EmailMessage | None]
Prepare = Callable[[Sequence[OutgoingMail]], Render]
OnFailure = Callable[[OutgoingMail], None]


@dataclass(frozen=True)
class Kind:
    prepare: Prepare
    failed: OnFailure | None = None
    tells_of_closing: bool = False

    def render(self, mail: OutgoingMail) -> Letter | EmailMessage | None:
        return self.prepare([mail])(mail)


_kinds: dict[str, Kind] = {}


def register(kind: str, render: Render, failed: OnFailure | None = None, *, tells_of_closing: bool = False) -> None:
    """Say how mails of a kind are written at the moment of sending; None from `render`: no longer wanted.

    `failed` runs in the transaction in which such a mail is given up. tells_of_closing: it leaves although its
    organisation is being closed, as no other mail does.
    """
    _kinds[kind] = Kind(lambda _mails: render, failed, tells_of_closing)


def register_many(kind: str, prepare: Prepare, failed: OnFailure | None = None) -> None:
    """The same for a kind of which many leave at once: `prepare(mails)` looks up for all of them what they tell, and
    returns their `render`."""
    _kinds[kind] = Kind(prepare, failed)


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
    return OutgoingMail(
        organization=organization,
        kind=kind,
        about=about,
        to_address=to_address,
        dedupe_key=dedupe_key,
        due_at=due_at,
        not_after=not_after,
        message_id=envelope.new_message_id(organization),
        date=moments.truncated(due_at),
    )


def enqueue(mails: Sequence[OutgoingMail]) -> None:
    """Insert in the caller's transaction; a mail whose dedupe key is there already is left out."""
    if mails:
        bulk.insert(mails, ignore_conflicts=True)
        transaction.on_commit(wake_up)


def enqueue_like(mail: OutgoingMail, *, about: list[UUID], to_address: list[str], dedupe_key: list[str]) -> list[UUID]:
    """The same for many mails, all like this (unsaved) one but for what they are about and whom they go to; returns
    their ids."""
    mail_ids = [uuid7() for _ in about]
    columns: dict[str, list[Any]] = {
        "id": mail_ids,
        "about": about,
        "to_address": to_address,
        "dedupe_key": dedupe_key,
        "message_id": [envelope.new_message_id(mail.organization) for _ in about],
    }
    bulk.insert_like(mail, columns, ignore_conflicts=True)
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


# --- Delivering -----------------------------------------------------------------------------------------------


def deliver_due(limit: int = 50, *, seconds: float | None = None) -> int:
    """Deliver what is due, oldest first, until nothing is, or `limit` mails or `seconds` are reached.

    Returns how many came to an end. Not to be called inside a transaction.
    """
    ends = math.inf if seconds is None else time.monotonic() + seconds
    turn = _Turn()
    finished, at_once = 0, 1
    while limit > 0 and turn.busy < MOST_BUSY:
        began = time.monotonic()
        found = claims.claim(min(at_once, limit))
        if not found:
            break
        limit -= len(found)
        finished += _deliver_each(found, turn, ends)
        now = time.monotonic()
        if now > ends:
            break
        # As many at once as take no time worth speaking of: what is claimed, no other worker can take.
        at_once = min(at_once * 2, MOST_AT_ONCE) if now - began < QUICK_SECONDS else max(at_once // 2, 1)
    connections.close_idle()
    return finished


def _deliver_each(found: list[Claim], turn: "_Turn", ends: float) -> int:
    """Each in turn, for as long as they go quickly; what is left then is given back to whoever is free."""
    writing = _Writing([claim.mail for claim in found])
    waiting = [claim.mail for claim in found]  # not begun yet
    patience = min(ends, time.monotonic() + PATIENCE_SECONDS)
    finished = 0
    try:
        with watchdog.after(PATIENCE_SECONDS, lambda: _give_back_from_elsewhere(waiting[:])):
            for claim in found:
                del waiting[0]
                verdict = _judge(claim, turn) or _attempt(claim.mail, turn, writing)
                if verdict is not None:
                    finished += _written_down(claim.mail, verdict) and verdict.state in _FINAL
                if turn.busy >= MOST_BUSY or time.monotonic() > patience:
                    break
    finally:
        claims.give_back(waiting)
    return finished


def _give_back_from_elsewhere(mails: list[OutgoingMail]) -> None:
    """While the worker waits for a server: from another thread, over a connection of its own."""
    try:
        claims.give_back(mails)
    finally:
        connection.close()


class _Turn:
    """What a worker knows of the ways out, read once and good for the seconds of its turn."""

    def __init__(self) -> None:
        self.routes = Routes()
        self.holds = Holds()
        self.signer = Signer()
        self.return_paths = ReturnPaths()
        self.busy = 0


class _Writing:
    """Writes the mails that were claimed together, from what was true then, PATIENCE_SECONDS ago at most; what they
    tell is looked up for all of a kind at once."""

    def __init__(self, mails: list[OutgoingMail]) -> None:
        self._mails = mails
        self._renders: dict[str, Render] = {}

    def written(self, mail: OutgoingMail) -> Letter | EmailMessage | None:
        if mail.kind not in self._renders:
            alike = [other for other in self._mails if other.kind == mail.kind]
            self._renders[mail.kind] = _kinds[mail.kind].prepare(alike)
        return self._renders[mail.kind](mail)


@dataclass(frozen=True)
class _Verdict:
    state: OutgoingMail.State
    reply: str = ""
    due_at: datetime | None = None  # not tried at all: it keeps its place, and the attempt does not count


_FINAL = {State.SENT, State.FAILED, State.CANCELLED}


def _judge(claim: Claim, turn: _Turn) -> _Verdict | None:
    """The verdict on a mail that is not to be tried (again, or now); None: try it."""
    mail = claim.mail
    if mail.not_after is not None and mail.not_after <= claim.at:
        return _Verdict(State.CANCELLED)
    if _leads_to_a_closed_portal(mail):
        return _Verdict(State.CANCELLED)
    if claim.lost_twice:
        return _Verdict(State.FAILED, "The worker was lost twice while sending; the mail may have arrived.")
    if mail.attempts > MOST_ATTEMPTS:
        return _Verdict(State.FAILED, mail.server_reply or f"Given up after {MOST_ATTEMPTS} attempts.")
    hold = turn.holds.on(turn.routes.of(mail), claim.at)
    return _put_off(mail, hold.words, due_at=hold.until) if hold else None


def _leads_to_a_closed_portal(mail: OutgoingMail) -> bool:
    kind = _kinds.get(mail.kind)
    return mail.organization.closing_at is not None and not (kind and kind.tells_of_closing)


def _attempt(mail: OutgoingMail, turn: _Turn, writing: _Writing) -> _Verdict | None:
    """Render and send; None when somebody else has decided about the mail meanwhile."""
    try:
        message = writing.written(mail)
        content = message and turn.signer.signed(envelope.dressed(message, mail), mail.organization)
    except Exception as error:  # one mail's fault must not stop the others
        logger.exception("Outgoing mail %s (%s) cannot be written", mail.id, mail.kind)
        return _put_off(mail, f"The text could not be made: {type(error).__name__}")
    if not content:
        return _Verdict(State.CANCELLED)
    destination = turn.routes.of(mail)
    outcome = smtp.send(
        content,
        sender=turn.return_paths.of(mail),
        recipient=mail.to_address,
        destination=destination,
        may_leave=lambda: claims.mark_sending(mail),
    )
    return _verdict_on(mail, outcome, destination, turn)


def _verdict_on(mail: OutgoingMail, outcome: Outcome, destination: Destination, turn: _Turn) -> _Verdict | None:
    if outcome.busy:
        turn.busy += 1
        return _put_off(mail, mail.server_reply, due_at=moments.now() + BUSY_DELAY)
    if outcome.server_reached:
        turn.holds.lift(destination)
    else:
        # The others keep their place in the queue instead of failing one by one.
        turn.holds.begin(destination, outcome.reply)
    match outcome.result:
        case Result.ACCEPTED:
            return _Verdict(State.SENT, outcome.reply)
        case Result.REFUSED:
            return _Verdict(State.FAILED, outcome.reply)
        case Result.UNKNOWN:
            return _Verdict(State.FAILED if mail.ambiguous_at else State.AMBIGUOUS, outcome.reply)
        case Result.PUT_OFF:
            return _put_off(mail, outcome.reply)
    return None


def _put_off(mail: OutgoingMail, reply: str, due_at: datetime | None = None) -> _Verdict:
    state = State.AMBIGUOUS if mail.ambiguous_at else State.DUE
    if mail.first_tried_at and mail.first_tried_at + GIVE_UP_AFTER <= moments.now():
        state = State.FAILED
    return _Verdict(state, reply, due_at)


def _written_down(mail: OutgoingMail, verdict: _Verdict) -> bool:
    """The verdict settled; more than once tried, when the database goes away at this moment. The server has spoken, and
    only this worker knows what it said: a mail left in doubt now would be sent a second time."""
    for pause in _SETTLE_PAUSES:
        try:
            return _settle(copy(mail), verdict)
        except (OperationalError, InterfaceError) as error:
            logger.warning("What became of outgoing mail %s is written down later: %s", mail.id, error)
            connection.close()
            time.sleep(pause)
    return _settle(mail, verdict)


def _settle(mail: OutgoingMail, verdict: _Verdict) -> bool:
    """Write the verdict down; False when this worker was overtaken, and nothing was written."""
    mail.state = verdict.state
    mail.server_reply = verdict.reply[:500]
    mail.lease_until = None
    if verdict.state == State.SENT:
        return claims.write(mail)
    now = moments.now()
    if verdict.state in _FINAL:
        mail.finished_at = now
    else:
        mail.due_at = verdict.due_at or now + _delay(mail.attempts)
        mail.attempts -= verdict.due_at is not None
    if verdict.state == State.AMBIGUOUS:
        mail.ambiguous_at = mail.ambiguous_at or now
    if verdict.state != State.FAILED:
        return claims.write(mail)
    try:
        with transaction.atomic():
            written = claims.write(mail)
            if written:
                tell_of_failure(mail)
    except Exception:  # telling somebody about a failure must not bring the mail back
        logger.exception("Nobody could be told that outgoing mail %s failed", mail.id)
        written = claims.write(mail)
    return written


def tell_of_failure(mail: OutgoingMail) -> None:
    """What its kind does when a mail has failed for good, in the caller's transaction."""
    kind = _kinds.get(mail.kind)
    if kind is not None and kind.failed is not None:
        kind.failed(mail)


def _delay(attempts: int) -> timedelta:
    """15 seconds, doubling to an hour, and up to half of it less, so that a backlog does not come back all at once."""
    doubled: timedelta = FIRST_DELAY * 2 ** min(attempts - 1, 10)
    return min(doubled, LONGEST_DELAY) * random.uniform(0.5, 1)  # noqa: S311  nothing secret about it
