"""Closing an organisation: from the order on its portal is closed to everybody, and after a waiting time everything in
it is destroyed; the audit log stays.

Closed at once rather than read-only for a while: one rule that holds on every page, nothing new comes to be destroyed,
and a message that nobody can answer any more helps nobody to see that the portal is going. Until the waiting time is
over nothing is lost, and the order can be called off.

Then the clock destroys, first, the retention keys: from there on no message can be opened, in no backup of the database
either. The rest goes in small transactions, room by room: each registers what it destroys, one bounded step at a time,
and what it says beforehand. What is left to do stands in the rows, so whoever is killed is followed by the next.
"""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import audit, letters, moments, outbox
from .models import (
    BrandImage,
    Branding,
    DkimKey,
    Import,
    MailCheck,
    MailHold,
    MailRoute,
    NotificationText,
    Organization,
    OutgoingMail,
    RetentionKey,
)

WAITING = timedelta(days=30)
ORDERED, CALLED_OFF = "portal_closing", "portal_closing_called_off"
_ROWS = 250
# Secrets, pictures, people's data in files; and mail, which holds addresses.
_OWN = (DkimKey, MailRoute, MailHold, BrandImage, Branding, NotificationText, MailCheck, Import, OutgoingMail)

# Destroys some rows of the organisation in small transactions; whether there is, or may be, more.
Step = Callable[[Organization], bool]
# What closing means, in sentences with numbers.
Figures = Callable[[Organization], list[str]]
_steps: list[Step] = []
_figures: list[Figures] = []


class PortalClosed(Exception):
    """The portal that was asked for is closed, or being closed."""


class CannotClose(Exception):
    """Why not, in a sentence."""


def register(figures: Figures, step: Step) -> None:
    _figures.append(figures)
    _steps.append(step)


def open_portal(slug: str) -> Organization:
    """The organisation whose pages are asked for. Http404 if there is none, PortalClosed if they are closed."""
    organization = get_object_or_404(Organization, slug=slug)
    if organization.closing_at is not None:
        raise PortalClosed
    return organization


def reach(organization: Organization) -> list[str]:
    """What closing destroys, as the page says it before."""
    return [sentence for figures in _figures for sentence in figures(organization)]


# --- The order, and calling it off ------------------------------------------------------------------------------


def why_not(organization: Organization) -> str:
    if organization.closing_at is not None:
        return _("This organisation is being closed already.")
    # They would lock themselves out, and nobody could call it off.
    if get_user_model()._default_manager.filter(organization=organization, is_superuser=True).exists():
        return _("An operator of this installation is among its people. Take that away first.")
    return ""


@transaction.atomic
def order(*, actor: AbstractBaseUser, organization: Organization) -> None:
    """Close it to everybody now, and destroy what it holds when the waiting time is over. CannotClose says why not."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if problem := why_not(locked):
        raise CannotClose(problem)
    locked.closing_at = moments.now() + WAITING
    locked.save(update_fields=["closing_at"])
    details = {"closing_at": locked.closing_at.isoformat()}
    event = audit.record(locked, "organization.closing_ordered", actor=actor, about=locked.pk, **details)
    _tell_administrators(ORDERED, event)


@transaction.atomic
def call_off(*, actor: AbstractBaseUser, organization: Organization) -> None:
    """Open it again as it was. CannotClose when nothing was ordered, or destroying may have begun."""
    locked = Organization.objects.select_for_update().get(pk=organization.pk)
    if locked.closing_at is None or locked.closing_at <= moments.now():
        raise CannotClose(_("It is too late to call this off, or it has been called off already."))
    locked.closing_at = None
    locked.save(update_fields=["closing_at"])
    event = audit.record(locked, "organization.closing_called_off", actor=actor, about=locked.pk)
    _tell_administrators(CALLED_OFF, event)


def _tell_administrators(kind: str, event: audit.AuditEvent) -> None:
    model = get_user_model()
    people = model._default_manager.filter(organization=event.organization, is_staff=True)
    mails = [
        outbox.new_mail(
            organization=event.organization,
            kind=kind,
            about=event.organization.pk,
            to_address=getattr(person, model.get_email_field_name()),
            dedupe_key=f"{kind}:{event.pk}:{person.pk}",
            due_at=event.at,
        )
        for person in people
        if person.is_active
    ]
    outbox.enqueue(mails)


def _render_ordered(mail: OutgoingMail) -> letters.Letter | None:
    closing_at = mail.organization.closing_at
    if closing_at is None:  # called off meanwhile
        return None
    subject = gettext_lazy("The portal is being closed")
    return letters.written(mail.organization, subject, "portal/mail/closing", closing_at=closing_at)


def _render_called_off(mail: OutgoingMail) -> letters.Letter | None:
    return letters.written(mail.organization, gettext_lazy("The portal stays open"), "portal/mail/closing_called_off")


outbox.register(ORDERED, _render_ordered, label=gettext_lazy("Portal being closed"), tells_of_closing=True)
outbox.register(CALLED_OFF, _render_called_off, label=gettext_lazy("Portal stays open"))


# --- When the time has come ------------------------------------------------------------------------------------


def work_off(*, seconds: float = 20) -> int:
    """Go on with what is to be closed, for so long at most; returns how many came to an end."""
    ends = time.monotonic() + seconds
    finished = 0
    over = Organization.objects.filter(closing_at__lte=Now(), closed_at__isnull=True)
    for organization in over.order_by("closing_at"):
        _destroy_keys(organization)
        finished += all(_done(step, organization, ends) for step in (*_steps, _destroy_own)) and _finish(organization)
    return finished


def _done(step: Step, organization: Organization, ends: float) -> bool:
    while time.monotonic() < ends:
        if not step(organization):
            return True
    return False


@transaction.atomic
def _destroy_keys(organization: Organization) -> None:
    """All of them: one a month, 120 at most."""
    held = RetentionKey.objects.select_for_update().filter(organization=organization, destroyed_at__isnull=True)
    for key in held.order_by("month"):
        RetentionKey.objects.filter(pk=key.pk).update(wrapped_key=None, destroyed_at=Now())
        audit.record(organization, "retention_key.destroyed", about=key.pk, month=f"{key.month:%Y-%m}")


def _destroy_own(organization: Organization) -> bool:
    return destroy_some(model.objects.filter(organization=organization) for model in _OWN)


def destroy_some(querysets: Iterable[models.QuerySet]) -> bool:
    """Delete some rows of the first of these that has any; whether there were any."""
    for rows in querysets:
        with transaction.atomic():
            ids = list(rows.order_by().values_list("pk", flat=True)[:_ROWS])
            rows.model._default_manager.filter(pk__in=ids).delete()
        if ids:
            return True
    return False


@transaction.atomic
def _finish(organization: Organization) -> bool:
    if not Organization.objects.filter(pk=organization.pk, closed_at__isnull=True).update(closed_at=Now()):
        return False  # another worker was here first
    audit.record(organization, "organization.closed", about=organization.pk)
    return True
