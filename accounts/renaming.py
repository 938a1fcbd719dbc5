"""A changed address: it is the same person, so mail, history, password and passkeys stay; whoever reads mail at the old
address gets no further.

What hangs on an address rather than on a person, the rooms above know and see to (`on_rename`).
"""

from collections.abc import Callable

from django.db import transaction
from django.utils.translation import gettext as _

from portal import audit
from portal.models import Organization, OutgoingMail

from . import credentials, sessions
from .directories import normalize_address
from .models import Domain, User
from .telling import tell

# (the person, under the new address already; the old address), in the transaction of the change.
Follow = Callable[[User, str], None]
_followers: list[Follow] = []


class CannotRename(Exception):
    """Why not, in a sentence."""


def on_rename(follow: Follow) -> None:
    _followers.append(follow)


@transaction.atomic
def rename(*, actor: User, user: User, address: str) -> None:
    """Give the person another address. InvalidAddress or CannotRename says in a sentence why it cannot be."""
    address = normalize_address(address)
    locked = User.objects.select_for_update(of=("self",)).select_related("organization", "domain").get(pk=user.pk)
    before = locked.address
    if why_not := _why_not(locked, address):
        raise CannotRename(why_not)
    locked.domain = _domain_of(locked.organization, address)
    if locked.is_licensed and not locked.domain.is_internal:
        raise CannotRename(_("This is a licensed sender, and the new address is external. Take the licence first."))
    locked.address = address
    locked.bounced_at, locked.bounce_words = None, ""  # that was the old one
    locked.save(update_fields=["address", "domain", "bounced_at", "bounce_words"])
    # Whatever was mailed to the old address opens nothing any more.
    credentials.withdraw(locked)
    sessions.end_sessions(locked)
    _readdress_mail(locked, before)
    for follow in _followers:
        follow(locked, before)
    event = audit.record(
        locked.organization, "user.renamed", actor=actor, about=locked.pk, before=before, after=address
    )
    for which, told in (("before", before), ("after", address)):
        tell(
            "address_changed",
            locked,
            event,
            about=event.pk,
            to_address=told,
            dedupe_key=f"address_changed:{event.pk}:{which}",
        )


def _why_not(user: User, address: str) -> str:
    if address == user.address:
        return _("This is the address already.")
    if User.objects.filter(organization=user.organization, address=address).exists():
        return _("There is a user with this address already: %s. Two people's messages are not put together.") % address
    return ""


def _domain_of(organization: Organization, address: str) -> Domain:
    return Domain.objects.get_or_create(organization=organization, name=address.rpartition("@")[2])[0]


def _readdress_mail(user: User, before: str) -> None:
    """What is still waiting to be sent to the old address goes to the new one; what brings a password, nowhere."""
    waiting = OutgoingMail.objects.filter(finished_at__isnull=True, state=OutgoingMail.State.DUE)
    waiting.filter(organization=user.organization_id, to_address=before).update(to_address=user.address)
