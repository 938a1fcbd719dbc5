"""Roles: what an administrator who looks after part of the work may do in the console.

An administrator without a role may do everything within the organisation. A role is the name of one of Django's
groups; what it allows stands here alone, and Django's own `has_perm` asks (backends.py), on every request anew.
Whoever has a role may only look at other administrators: setting their password would be taking their place.
"""

from django.contrib.auth.models import Group as DjangoGroup
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from portal import audit

from .models import User


class Role(models.TextChoices):
    BASIC = "basic_administrator", _("Basic Administrator")
    HELP_DESK = "help_desk", _("Help Desk")
    AUDITOR = "auditor", _("Auditor")


_VIEW = ("view",)
_ALL = ("view", "add", "change", "delete")
_FILES = ("import", "export")
# Model → actions. Beside Django's four: license (a sender), appoint (an administrator), recall, import, export,
# order (an erasure), read (ask to), approve (another's asking; who holds a part of the work does not).
MATRIX: dict[str, dict[str, tuple[str, ...]]] = {
    # The daily work; not the settings, the audit log, or who else is administrator.
    Role.BASIC: {
        "accounts.internaldomain": _ALL,
        "accounts.externaldomain": (*_ALL, *_FILES),
        "accounts.user": ("view", "add", "change", "license", *_FILES),
        "accounts.group": _ALL,
        "accounts.loginattempt": _VIEW,
        "messaging.message": ("view", "recall", "read"),
        "messaging.approvedreading": _VIEW,
        "messaging.massrecall": _VIEW,
        "messaging.erasure": _VIEW,
        "messaging.definition": (*_ALL, *_FILES),
        "messaging.definitionfolder": _ALL,
        "messaging.licensedsender": ("view", "change", *_FILES),
        "portal.import": _VIEW,
        "portal.organization": _VIEW,
        "portal.mailroute": _VIEW,
        "portal.branding": _VIEW,
        "portal.dkimkey": _VIEW,
        "portal.mailcheck": _VIEW,
        "portal.notificationtext": _VIEW,
        "portal.outgoingmail": _VIEW,
    },
    # Log-ins, passwords, locks.
    Role.HELP_DESK: {
        "accounts.internaldomain": _VIEW,
        "accounts.externaldomain": _VIEW,
        "accounts.user": ("view", "change"),
        "accounts.loginattempt": _VIEW,
        "portal.outgoingmail": _VIEW,
    },
    # Looks at everything, touches nothing.
    Role.AUDITOR: {
        "accounts.internaldomain": _VIEW,
        "accounts.externaldomain": ("view", "export"),
        "accounts.user": ("view", "export"),
        "accounts.group": _VIEW,
        "accounts.loginattempt": _VIEW,
        "messaging.message": _VIEW,
        "messaging.approvedreading": _VIEW,
        "messaging.massrecall": _VIEW,
        "messaging.erasure": _VIEW,
        "messaging.definition": ("view", "export"),
        "messaging.definitionfolder": _VIEW,
        "messaging.licensedsender": ("view", "export"),
        "portal.import": _VIEW,
        "portal.organization": _VIEW,
        "portal.mailroute": _VIEW,
        "portal.branding": _VIEW,
        "portal.dkimkey": _VIEW,
        "portal.mailcheck": _VIEW,
        "portal.notificationtext": _VIEW,
        "portal.outgoingmail": _VIEW,
        "portal.auditevent": ("view", "export"),
    },
}


def role_of(user: User) -> str:
    """The administrator's role; empty for one without. Of several (which nothing here gives), the one that allows
    least. One query, unless the groups were fetched."""
    names = {group.name for group in user.groups.all()}
    return next((role for role in (Role.AUDITOR, Role.HELP_DESK, Role.BASIC) if role in names), "")


def allows(role: str, permission: str) -> bool:
    """Whether the role covers Django's name of a permission: messaging.change_definition."""
    if not role:
        return True
    app, _dot, codename = permission.partition(".")
    action, _underscore, model = codename.partition("_")
    return action in MATRIX[role].get(f"{app}.{model}", ())


def give_role(*, actor: User, user: User, role: str) -> None:
    """Make it the administrator's one role; empty: none, which allows everything."""
    with transaction.atomic():
        before = role_of(user)
        if role == before:
            return
        groups = [DjangoGroup.objects.get_or_create(name=role)[0]] if role else []
        user.groups.set([*user.groups.exclude(name__in=Role.values), *groups])
        audit.record(user.organization, "user.role_given", actor=actor, about=user.pk, role=role, before=before)
