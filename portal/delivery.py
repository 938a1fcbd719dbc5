"""A worker's turn: mails are claimed, written, sent one by one, and what becomes of each is written down."""

import logging
import math
import time
from datetime import timedelta
from email.message import EmailMessage

from django.db import connection

from . import claims, connections, envelope, moments, outbox, smtp, verdicts, watchdog
from .claims import Claim
from .dkim_keys import Signer
from .holds import Holds
from .letters import Letter
from .lost_database import is_lost, outlasted
from .models import OutgoingMail
from .return_paths import ReturnPaths
from .routes import Destination, Routes
from .smtp import Outcome, Result
from .verdicts import Verdict

logger = logging.getLogger(__name__)

# Lower than tries in 48 hours come to by themselves: a mail that takes its worker down each time ends here.
MOST_ATTEMPTS = 100
# Where as many connections to a host are open as are allowed, its mail stands back for so long; a worker that has met
# that so often in a turn leaves the rest to those who hold the connections.
BUSY_DELAY = timedelta(seconds=2)
MOST_BUSY = 20
# A worker claims twice as many as the last time if those took less than QUICK_SECONDS together, else half as many; what
# it has not begun after PATIENCE_SECONDS, it gives back.
MOST_AT_ONCE = 256
QUICK_SECONDS = 1
PATIENCE_SECONDS = 2

State = OutgoingMail.State


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
    """Each in turn, for as long as they go quickly; what is left then is given back to whoever is free. So is all that
    has not left when the database goes away, which is no mail's fault (but see `_attempt`)."""
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
                    finished += verdicts.written_down(claim.mail, verdict) and verdict.is_final
                if turn.busy >= MOST_BUSY or time.monotonic() > patience:
                    break
    except Exception:
        if is_lost():
            waiting = [claim.mail for claim in found]
        raise
    finally:
        outlasted(lambda: claims.give_back(waiting), "Mails that a worker gives back")
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
        self.is_of_one = len(mails) == 1
        self._renders: dict[str, outbox.Render] = {}

    def written(self, mail: OutgoingMail) -> Letter | EmailMessage | None:
        if mail.kind not in self._renders:
            alike = [other for other in self._mails if other.kind == mail.kind]
            self._renders[mail.kind] = outbox.kinds[mail.kind].prepare(alike)
        return self._renders[mail.kind](mail)


def _judge(claim: Claim, turn: _Turn) -> Verdict | None:
    """The verdict on a mail that is not to be tried (again, or now); None: try it."""
    mail = claim.mail
    if mail.not_after is not None and mail.not_after <= claim.at:
        return Verdict(State.CANCELLED)
    if _leads_to_a_closed_portal(mail):
        return Verdict(State.CANCELLED)
    if claim.lost_twice:
        return Verdict(State.FAILED, "The worker was lost twice while sending; the mail may have arrived.")
    if mail.attempts > MOST_ATTEMPTS:
        return Verdict(State.FAILED, mail.server_reply or f"Given up after {MOST_ATTEMPTS} attempts.")
    hold = turn.holds.on(turn.routes.of(mail), claim.at)
    return verdicts.put_off(mail, hold.words, due_at=hold.until) if hold else None


def _leads_to_a_closed_portal(mail: OutgoingMail) -> bool:
    kind = outbox.kinds.get(mail.kind)
    return mail.organization.closing_at is not None and not (kind and kind.tells_of_closing)


def _attempt(mail: OutgoingMail, turn: _Turn, writing: _Writing) -> Verdict | None:
    """Render and send; None when somebody else has decided about the mail meanwhile."""
    try:
        message = writing.written(mail)
        content = message and turn.signer.signed(envelope.dressed(message, mail), mail.organization)
    except Exception as error:  # one mail's fault must not stop the others
        # A mail whose writing ends its database session each time must not come first for ever. Which one of several
        # it was, nobody can tell; each turn begins with one alone, and there a lost database counts like any fault.
        if is_lost() and not writing.is_of_one:
            raise
        logger.exception("Outgoing mail %s (%s) cannot be written", mail.id, mail.kind)
        words = f"The text could not be made: {type(error).__name__}"
        return outlasted(lambda: verdicts.put_off(mail, words), f"The verdict on outgoing mail {mail.id}")
    if not content:
        return Verdict(State.CANCELLED)
    destination = turn.routes.of(mail)
    outcome = smtp.send(
        content,
        sender=turn.return_paths.of(mail),
        recipient=mail.to_address,
        destination=destination,
        may_leave=lambda: claims.mark_sending(mail),
    )
    # The server has spoken: no question of ours may lose that.
    return outlasted(lambda: _verdict_on(mail, outcome, destination, turn), f"The verdict on outgoing mail {mail.id}")


def _verdict_on(mail: OutgoingMail, outcome: Outcome, destination: Destination, turn: _Turn) -> Verdict | None:
    if outcome.busy:
        turn.busy += 1
        return verdicts.put_off(mail, mail.server_reply, due_at=moments.now() + BUSY_DELAY)
    if outcome.server_reached:
        turn.holds.lift(destination)
    else:
        # The others keep their place in the queue instead of failing one by one.
        turn.holds.begin(destination, outcome.reply)
    match outcome.result:
        case Result.ACCEPTED:
            return Verdict(State.SENT, outcome.reply)
        case Result.REFUSED:
            return Verdict(State.FAILED, outcome.reply)
        case Result.UNKNOWN:
            return Verdict(State.FAILED if mail.ambiguous_at else State.AMBIGUOUS, outcome.reply)
        case Result.PUT_OFF:
            return verdicts.put_off(mail, outcome.reply)
    return None
