"""Every role × everything that the console does beyond looking up, adding, changing and deleting: found in its URLs and
in what files it knows, so that what is added later is missing in the table until somebody has decided who may."""

import re

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts import roles
from messaging.models import ApprovedReading, Definition, Message
from portal import imports
from portal.models import AuditEvent, Import

from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import just_confirmed, page
from .test_scoping import KINDS, PATTERNS, _model_of

ROLES = {"": "w", roles.Role.BASIC: "b", roles.Role.HELP_DESK: "h", roles.Role.AUDITOR: "a"}
# Who may: w(ithout a role, everything), b(asic administrator), h(elp desk), a(uditor). A preview saves nothing: whoever
# may look.
TABLE = {
    "accounts_user_disable": "wbh",
    "accounts_user_enable": "wbh",
    "accounts_user_end_sessions": "wbh",
    "accounts_user_clear_lock": "wbh",
    "accounts_user_clear_bounce": "wbh",
    "accounts_user_send_reset": "wbh",
    "accounts_user_remove_second_factor": "wbh",
    "accounts_user_keep_second_factor": "wbh",
    "accounts_user_issue_password": "wbh",
    "accounts_user_rename": "wbh",
    "accounts_externaldomain_move": "wb",
    "messaging_erasure_order": "w",
    "messaging_massrecall_retry": "wb",
    "messaging_approvedreading_ask": "wb",
    "messaging_approvedreading_decide": "w",
    "messaging_approvedreading_body": "wb",
    "messaging_definition_dry_run": "wba",
    "messaging_definition_preview": "wba",
    "portal_branding_preview": "wba",
    "portal_notificationtext_preview": "wba",
    "portal_organization_close": "",  # the operator's alone
    "portal_organization_call_off": "",
    "portal_auditevent_export": "wa",
    "portal_import_upload users": "wb",
    "portal_import_upload domains": "wb",
    "portal_import_upload definitions": "wb",
    "portal_import_upload licences": "wb",
    "portal_import_confirm": "wb",
    "portal_import_cancel": "wb",
    "portal_import_export users": "wba",
    "portal_import_export domains": "wba",
    "portal_import_export definitions": "wba",
    "portal_import_export licences": "wba",
}
# Django's own pages of a model, whose table is in test_roles.py, and those of the site, open to each administrator.
_OF_A_MODEL = re.compile(r"_(changelist|add|change|delete|history)$")
_OF_THE_SITE = {"index", "login", "logout", "autocomplete", "jsi18n", "app_list"}


def _urls(place, rows) -> dict[str, str]:
    """{verb: its address}, with rows of the place where it needs one."""
    found = {}
    for name, parts in PATTERNS.items():
        if name in _OF_THE_SITE or _OF_A_MODEL.search(name):
            continue
        if parts == KINDS:
            found |= {f"{name} {kind}": reverse(f"admin:{name}", args=[kind]) for kind in imports._kinds}
        elif "user_id" in parts:
            found[name] = reverse(f"admin:{name}", args=[place.target.pk])
        elif "message_id" in parts:
            found[name] = reverse(f"admin:{name}", args=[place.message.pk])
        else:
            found[name] = reverse(f"admin:{name}", args=[rows(place)[_model_of(name)].pk] if parts else [])
    return found


def _may(client: Client, url: str) -> bool:
    """By either method: some are forms that are looked at first, some only POSTs. Refused, nothing has happened."""
    before = AuditEvent.objects.count()
    statuses = {getattr(client, method)(url).status_code for method in ("get", "post")}
    may = bool(statuses - {403, 404, 405})
    assert may or AuditEvent.objects.count() == before
    return may


@pytest.mark.parametrize("role", ROLES)
def test_who_may_do_what(north, rows, playing, recipient, role):
    client = just_confirmed(playing(role))
    north.target = recipient
    Import.objects.filter(organization=north.organization).update(actor=client.user)  # whoever uploaded it decides
    ApprovedReading.objects.filter(organization=north.organization).update(asked_by=client.user)  # and reads
    found = {verb: _may(client, url) for verb, url in _urls(north, rows).items()}
    assert found == {verb: ROLES[role] in who for verb, who in TABLE.items()}


@pytest.mark.parametrize("role", ROLES)
def test_what_is_not_allowed_is_not_offered(north, playing, recipient, role):
    """The page of a user, where most of it is."""
    client = playing(role)
    html = client.get(page(recipient, "change", recipient.pk)).content.decode()
    offered = {verb for verb in TABLE if f'action="{_of(verb, recipient)}"' in html or _of(verb, recipient) in html}
    assert all(ROLES[role] in TABLE[verb] for verb in offered)
    assert ("accounts_user_issue_password" in offered) == (ROLES[role] in "wbh")
    assert ("messaging_erasure_order" in offered) == (ROLES[role] == "w")


def _of(verb: str, user) -> str:
    return reverse(f"admin:{verb}", args=[user.pk]) if "user_id" in PATTERNS.get(verb, ()) else "nowhere"


def test_no_list_has_an_action_that_is_not_in_a_table():
    """A selection is recalled (below), definitions are put in order (test_roles.py), and that is all."""
    assert not any(model_admin.actions for model_admin in admin.site._registry.values())
    editable = [model for model, model_admin in admin.site._registry.items() if model_admin.list_editable]
    assert editable == [Definition]


@pytest.mark.parametrize("role", ROLES)
def test_who_recalls_a_selection(playing, sender, send, role):  # noqa: F811
    message = send(sender, to="a@x.example")
    may = ROLES[role] in "wb"
    client = playing(role)
    html = client.get(page(Message, "changelist")).content.decode()
    assert ("Recall ticked" in html) == may
    answer = client.post(page(Message, "changelist"), {"message": [message.pk], "confirmed": "yes"})
    assert answer.status_code == (302 if may else 403)
    message.refresh_from_db()
    assert message.is_recalled() == may
