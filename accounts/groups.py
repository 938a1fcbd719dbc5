"""Groups: which of them a person is in."""

from collections.abc import Iterable

from django.db import transaction

from portal import audit

from .models import Group, User


@transaction.atomic
def put_in(*, actor: User, user: User, groups: Iterable[Group]) -> None:
    """Make these (of the person's own organisation) the groups they are in."""
    before = set(user.member_of.all())
    wanted = set(Group.objects.filter(organization=user.organization_id, pk__in=[group.pk for group in groups]))
    if wanted == before:
        return
    user.member_of.set(wanted)
    changes = {"joined": sorted(map(str, wanted - before)), "left": sorted(map(str, before - wanted))}
    audit.record(user.organization, "user.groups_changed", actor=actor, about=user.pk, **changes)
