"""Erasing a person: what the directories know of them. The row itself stays, for messages that others hold hang on it,
under an address that is nobody's; what hangs on messages, the room above erases (messaging/erasing.py)."""

from django.db.models import CASCADE, Q
from django.utils import translation
from django.utils.translation import gettext

from portal import erased, moments

from .models import Domain, LogInAttempt, MailRequest, User

# Of the row itself; everything else in it is as if the person had never been here.
_KEPT = {"id", "organization", "created_at"}


def strip_identity(user: User) -> None:
    """End the person's access and replace name, address and whatever they chose, in the caller's transaction, which
    holds their row."""
    for relation in User._meta.related_objects:
        # What would go with the row goes now: passwords, browsers, sessions, passkeys, signature and the like.
        if relation.on_delete is CASCADE:
            relation.related_model._base_manager.filter(**{relation.field.name: user}).delete()
    user.member_of.clear()
    user.groups.clear()
    for field in User._meta.concrete_fields:
        if field.name not in _KEPT:
            setattr(user, field.attname, field.get_default())
    domain, _new = Domain.objects.get_or_create(organization=user.organization, name=erased.DOMAIN)
    with translation.override(user.organization.language):
        user.name = gettext("Erased person")
    user.address, user.domain = erased.address_of(user.pk), domain
    user.set_unusable_password()
    user.disabled_at, user.allow_logon = moments.now(), False
    user.save()


def forget_log_ins(user: User, address: str) -> None:
    """When and where from they logged in, and what was asked for with their address."""
    of_them = Q(user=user) | Q(address=address)
    LogInAttempt.objects.filter(of_them, organization=user.organization_id).delete()
    MailRequest.objects.filter(organization=user.organization_id, address=address).delete()
