"""What is to become of a mail that a worker has claimed: ended, or put off until when; and writing that down, once."""

import logging
import random
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from . import claims, moments, outbox
from .lost_database import outlasted
from .models import OutgoingMail

logger = logging.getLogger(__name__)

FIRST_DELAY = timedelta(seconds=15)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=48)
# Somebody is told of a failure at the second try, where the first met a deadlock, or the end of its session.
TRIES_TO_TELL = 2

State = OutgoingMail.State


@dataclass(frozen=True)
class Verdict:
    state: OutgoingMail.State
    reply: str = ""
    due_at: datetime | None = None  # not tried at all: it keeps its place, and the attempt does not count

    @property
    def words(self) -> str:
        return self.reply[:500]

    @property
    def is_final(self) -> bool:
        return self.state in (State.SENT, State.FAILED, State.CANCELLED)


def put_off(mail: OutgoingMail, reply: str, due_at: datetime | None = None) -> Verdict:
    state = State.AMBIGUOUS if mail.ambiguous_at else State.DUE
    if mail.first_tried_at and mail.first_tried_at + GIVE_UP_AFTER <= moments.now():
        state = State.FAILED
    return Verdict(state, reply, due_at)


def written_down(mail: OutgoingMail, verdict: Verdict) -> bool:
    """The verdict settled; more than once tried, when the database goes away at this moment. The server has spoken, and
    only this worker knows what it said: a mail left in doubt now would be sent a second time.

    False when this worker was overtaken, and nothing was written."""
    what = f"What became of outgoing mail {mail.id}"
    if verdict.state == State.SENT:
        return outlasted(lambda: claims.write_sent(mail, verdict.words), what)
    for _try in range(TRIES_TO_TELL if verdict.state == State.FAILED else 0):
        try:
            return outlasted(lambda: _write_and_tell(_ruled(mail, verdict)), what)
        except _NotTold:  # telling somebody about a failure must not bring the mail back
            logger.exception("Nobody could be told that outgoing mail %s failed", mail.id)
    return outlasted(lambda: claims.write(_ruled(mail, verdict)), what)


class _NotTold(Exception):
    """The telling went wrong, or its commit."""


def _write_and_tell(mail: OutgoingMail) -> bool:
    written = False
    try:
        with transaction.atomic():
            written = claims.write(mail)
            if written:
                outbox.tell_of_failure(mail)
    except Exception as error:
        if written:
            raise _NotTold from error
        raise
    return written


def _ruled(mail: OutgoingMail, verdict: Verdict) -> OutgoingMail:
    """The row as the verdict leaves it."""
    mail = copy(mail)
    mail.state = verdict.state
    mail.server_reply = verdict.words
    mail.lease_until = None
    now = moments.now()
    if verdict.is_final:
        mail.finished_at = now
    else:
        mail.due_at = verdict.due_at or now + _delay(mail.attempts)
        mail.attempts -= verdict.due_at is not None
    if verdict.state == State.AMBIGUOUS:
        mail.ambiguous_at = mail.ambiguous_at or now
    return mail


def _delay(attempts: int) -> timedelta:
    """15 seconds, doubling to an hour, and up to half of it less, so that a backlog does not come back all at once."""
    doubled: timedelta = FIRST_DELAY * 2 ** min(attempts - 1, 10)
    return min(doubled, LONGEST_DELAY) * random.uniform(0.5, 1)  # noqa: S311  nothing secret about it
