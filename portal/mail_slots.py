"""Slots: a mail server of others is never met by more than `settings.MAIL_CONNECTIONS_PER_HOST` connections of all
workers together. Each takes a slot in the database before it is dialled.
"""

import logging
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from . import moments
from .models import MailSlot

logger = logging.getLogger(__name__)

# Longer than a connection is open (connections.py), with its last mail.
LEASE = timedelta(minutes=4)


class Busy(Exception):
    """As many connections to the host are open as are allowed."""


def take(host: str) -> MailSlot:
    """Raises Busy where none is free. A slot whose holder was lost is free again when its lease runs out."""
    most = settings.MAIL_CONNECTIONS_PER_HOST
    mine = MailSlot.objects.filter(host=host, number__lt=most)
    if mine.count() < most:
        free = moments.now() - timedelta(seconds=1)
        rows = [MailSlot(host=host, number=number, leased_until=free) for number in range(most)]
        MailSlot.objects.bulk_create(rows, ignore_conflicts=True)
    for slot in mine.filter(leased_until__lte=Now()).order_by("number"):
        slot.holder = secrets.token_hex(8)
        taken = mine.filter(pk=slot.pk, leased_until__lte=Now()).update(holder=slot.holder, leased_until=Now() + LEASE)
        if taken:
            return slot
    raise Busy(_("as many connections to %(host)s are open as are allowed") % {"host": host})


def give_back(slot: MailSlot) -> None:
    """At once; where the database is away, by itself when its lease runs out. What the server has said about a mail
    must not be lost over it."""
    try:
        MailSlot.objects.filter(pk=slot.pk, holder=slot.holder).update(leased_until=Now())
    except (OperationalError, InterfaceError) as error:
        logger.warning("A connection's place at %s is free only when its lease ends: %s", slot.host, error)
