"""Mails that somebody asks for by typing an address: a password reset, or the address of their portal.

The page only writes the request down, the same way whoever is asked for. A worker answers it seconds later: what that
takes, and whether a mail leaves, nobody who watches the page can tell.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction

from portal import audit, moments, outbox
from portal.models import Organization, OutgoingMail

from . import credentials, throttling
from .models import MailRequest, User
from .visit import Visit

logger = logging.getLogger(__name__)

# To one account. More would fill its mailbox; the mail before is on its way.
MOST_AN_HOUR = 5
NOT_WITHIN = timedelta(minutes=1)

Kind, Outcome = MailRequest.Kind, MailRequest.Outcome


def ask(kind: MailRequest.Kind, address: str, *, organization: Organization | None, visit: Visit) -> None:
    """Write the request down. throttling.TooManyFromNetwork if the visitor's network has asked too often."""
    request = MailRequest(
        kind=kind,
        organization=organization,
        address=address,
        at=moments.now(),
        browser=visit.browser,
        network=visit.network,
        limited_as=throttling.limited_as(visit.network),
    )
    request.save(force_insert=True)
    if throttling.network_is_over_its_limit(request):
        request.delete()  # only those let through fill the minute
        logger.warning("mail request refused: network %s is over its limit", request.limited_as)
        raise throttling.TooManyFromNetwork
    transaction.on_commit(lambda: outbox.wake_up("accounts.tasks.answer_mail_requests"))


# --- In the worker --------------------------------------------------------------------------------------------


def answer_waiting(limit: int = 200) -> int:
    """Answer what waits, oldest first, each in a transaction of its own; returns how many."""
    answered = 0
    while answered < limit and _answer_next():
        answered += 1
    return answered


def _answer_next() -> bool:
    with transaction.atomic():
        request = (
            MailRequest.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("organization")
            .filter(outcome=Outcome.WAITING)
            .order_by("id")
            .first()
        )
        if request is None:
            return False
        request.outcome = _answer(request)
        request.save(update_fields=["outcome"])
    return True


def _answer(request: MailRequest) -> MailRequest.Outcome:
    """One request's fault must not stop the others."""
    try:
        with transaction.atomic():
            return _ANSWERS[MailRequest.Kind(request.kind)](request)
    except Exception:
        logger.exception("Mail request %s cannot be answered", request.pk)
        return Outcome.FAILED


def _answer_reset(request: MailRequest) -> MailRequest.Outcome:
    # Locked, so that of several requests in one moment each sees what came of the one before.
    user = (
        User.objects.select_for_update(of=("self",))
        .select_related("organization")
        .filter(organization=request.organization, address=request.address)
        .first()
    )
    outcome = _outcome_for(request, user)
    if user and outcome == Outcome.SENT:
        send_reset(user, dedupe=str(request.pk))
    if request.organization:
        about = user.pk if user else None
        audit.record(request.organization, "reset.requested", about=about, outcome=outcome)
    return outcome


def _outcome_for(request: MailRequest, user: User | None) -> MailRequest.Outcome:
    if user is None:
        return Outcome.UNKNOWN
    if not user.may_log_on:
        return Outcome.NOT_ALLOWED
    if request.kind == Kind.RESET and user.organization.reset_mode == Organization.Reset.BY_TELEPHONE:
        return Outcome.BY_TELEPHONE
    by_telephone = user.organization.first_visit_mode == Organization.FirstVisit.BY_TELEPHONE
    if by_telephone and user.password_set_at is None:
        return Outcome.BY_TELEPHONE
    return Outcome.TOO_MANY if _asked_too_often(request) else Outcome.SENT


def _asked_too_often(request: MailRequest) -> bool:
    sent = MailRequest.objects.filter(
        kind=request.kind, organization=request.organization, address=request.address, outcome=Outcome.SENT
    )
    last_hour = sent.filter(at__gt=request.at - timedelta(hours=1)).count()
    return last_hour >= MOST_AN_HOUR or sent.filter(at__gt=request.at - NOT_WITHIN).exists()


def send_reset(user: User, *, dedupe: str) -> None:
    """Mail the person what opens the page for a new password. In the caller's transaction, which holds their row."""
    credential = credentials.for_reset(user)
    outbox.enqueue(
        [
            outbox.new_mail(
                organization=user.organization,
                kind="password_reset",
                about=credential.pk,
                to_address=user.address,
                dedupe_key=f"password_reset:{dedupe}",
                due_at=moments.now(),
                not_after=credential.expires_at,
            )
        ]
    )


def send_reset_for(*, actor: User, user: User) -> None:
    """An administrator has the person sent what opens the page for a new password."""
    with transaction.atomic():
        locked = User.objects.select_for_update(of=("self",)).select_related("organization").get(pk=user.pk)
        event = audit.record(user.organization, "reset.sent_by_administrator", actor=actor, about=user.pk)
        send_reset(locked, dedupe=str(event.pk))


def _answer_link(request: MailRequest) -> MailRequest.Outcome:
    """One mail from each organisation in whose directory the address is."""
    users = list(User.objects.select_related("organization").filter(address=request.address))
    if not users:
        return Outcome.UNKNOWN
    allowed = [user for user in users if user.may_log_on]
    if not allowed:
        return Outcome.NOT_ALLOWED
    if _asked_too_often(request):
        return Outcome.TOO_MANY
    outbox.enqueue([_link_mail(user, request) for user in allowed])
    return Outcome.SENT


def _link_mail(user: User, request: MailRequest) -> OutgoingMail:
    return outbox.new_mail(
        organization=user.organization,
        kind="portal_link",
        about=user.pk,
        to_address=user.address,
        dedupe_key=f"portal_link:{user.pk}:{request.pk}",
        due_at=moments.now(),
    )


_ANSWERS: dict[MailRequest.Kind, Callable[[MailRequest], MailRequest.Outcome]] = {
    Kind.RESET: _answer_reset,
    Kind.LINK: _answer_link,
}
