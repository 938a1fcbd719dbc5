"""Closing an organisation: what its directories know. The rows of people stay, as after an erasure, for what is left of
their messages hangs on them."""

from django.db import transaction
from django.utils.translation import ngettext

from portal import closing, erased
from portal.models import Organization

from .erasing import strip_identity
from .models import Domain, Group, LogInAttempt, MailRequest, User

_PEOPLE = 25


def _figures(organization: Organization) -> list[str]:
    count = User.objects.filter(organization=organization).exclude(domain__name=erased.DOMAIN).count()
    if not count:
        return []
    sentence = ngettext(
        "%(count)d person cannot log in any more; their name, address, password and sessions are erased.",
        "%(count)d people cannot log in any more; their names, addresses, passwords and sessions are erased.",
        count,
    )
    return [sentence % {"count": count}]


def _step(organization: Organization) -> bool:
    return _strip_some(organization) or closing.destroy_some(
        [
            LogInAttempt.objects.filter(organization=organization),
            MailRequest.objects.filter(organization=organization),
            Group.objects.filter(organization=organization),
            Domain.objects.filter(organization=organization).exclude(name=erased.DOMAIN),
        ]
    )


@transaction.atomic
def _strip_some(organization: Organization) -> bool:
    known = User.objects.filter(organization=organization).exclude(domain__name=erased.DOMAIN)
    people = list(known.select_for_update(of=("self",)).select_related("organization").order_by("id")[:_PEOPLE])
    for user in people:
        strip_identity(user)
    return bool(people)


closing.register(_figures, _step)
