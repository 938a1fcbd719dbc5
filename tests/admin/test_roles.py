"""Every role × every model × every thing done to it: the whole table, by the pages themselves."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts import roles
from accounts.models import Group, User
from messaging.models import Definition, LicensedSender
from portal.models import AuditEvent, Organization

from ..messaging.conftest import send, write  # noqa: F401  fixtures
from .conftest import page

# By model, what each may do: v(iew), a(dd), c(hange), d(elete). Nobody may more than the administrator without a role.
TABLE = {
    # model                        everything  basic   help desk  auditor
    "accounts.InternalDomain":     ("vacd",    "vacd", "v",       "v"),
    "accounts.ExternalDomain":     ("vacd",    "vacd", "v",       "v"),
    "accounts.User":               ("vac",     "vac",  "vc",      "v"),
    "accounts.Group":              ("vacd",    "vacd", "",        "v"),
    "accounts.LogInAttempt":       ("v",       "v",    "v",       "v"),
    "messaging.Message":           ("v",       "v",    "",        "v"),
    "messaging.MassRecall":        ("v",       "v",    "",        "v"),
    "messaging.Erasure":           ("v",       "v",    "",        "v"),
    "messaging.ApprovedReading":  ("v",       "v",    "",        "v"),
    "messaging.Definition":        ("vacd",    "vacd", "",        "v"),
    "messaging.DefinitionFolder":  ("vacd",    "vacd", "",        "v"),
    "messaging.LicensedSender":    ("vc",      "vc",   "",        "v"),
    "portal.Organization":         ("vc",      "v",    "",        "v"),
    "portal.MailRoute":            ("vacd",    "v",    "",        "v"),
    "portal.Branding":            ("vcd",     "v",    "",        "v"),
    "portal.DkimKey":              ("vad",     "v",    "",        "v"),
    "portal.MailCheck":            ("vc",      "v",    "",        "v"),
    "portal.NotificationText":     ("vacd",    "v",    "",        "v"),
    "portal.OutgoingMail":         ("v",       "v",    "v",       "v"),
    "portal.Import":               ("v",       "v",    "",        "v"),
    "portal.AuditEvent":           ("v",       "",     "",        "v"),
}  # fmt: skip
ROLES = ("", *roles.Role.values)
each_role = pytest.mark.parametrize("role", ROLES)


def test_the_table_has_every_model():
    assert set(TABLE) == {model._meta.label for model in admin.site._registry}


@each_role
def test_what_each_may_do(north, rows, playing, role):
    client = playing(role)
    found = dict.fromkeys(TABLE, "")
    for model, row in rows(north).items():
        change = page(model, "change", row.pk)
        before = AuditEvent.objects.count()
        tries = {
            "v": client.get(page(model, "changelist"), follow=True).status_code == 200,
            "a": client.get(page(model, "add")).status_code == 200,
            "c": _may_change(client, change),
            "d": client.get(page(model, "delete", row.pk)).status_code == 200,
        }
        found[model._meta.label] = "".join(letter for letter, may in tries.items() if may)
        refused = {page(model, "add"): "a", change: "c", page(model, "delete", row.pk): "d"}
        for url in [url for url, letter in refused.items() if not tries[letter]]:
            assert client.post(url, {"post": "yes", "name": "Taken"}).status_code in {302, 403, 404}, url
        assert AuditEvent.objects.count() == before, model
    expected = {label: letters[ROLES.index(role)] for label, letters in TABLE.items()}
    for domain in ("accounts.InternalDomain", "accounts.ExternalDomain"):
        expected[domain] = expected[domain].replace("c", "")  # its change page is the list of its users
        found[domain] = found[domain].replace("c", "")
    if "d" in expected["accounts.InternalDomain"]:
        expected["accounts.InternalDomain"] = expected["accounts.InternalDomain"].replace("d", "")  # has users
    if "d" in expected["messaging.DefinitionFolder"]:
        assert "d" in found["messaging.DefinitionFolder"]
    assert found == expected


def _may_change(client, url) -> bool:
    response = client.get(url)
    return response.status_code == 200 and bool(response.context.get("has_change_permission"))


@each_role
def test_the_contents_list_what_may_be_seen_and_nothing_else(playing, role):
    html = playing(role).get(reverse("admin:index")).content.decode()
    for label, letters in TABLE.items():
        url = page(apps.get_model(label), "changelist")
        assert (f'href="{url}"' in html) == ("v" in letters[ROLES.index(role)])


@pytest.mark.parametrize("role", roles.Role.values)
def test_with_a_role_other_administrators_are_only_looked_at(playing, administrator, role):
    client = playing(role)
    password = "a long and quiet river bends"
    posted = {"name": "Taken", "allow_logon": "on", "new_password": password, "confirm_password": password}
    assert client.post(page(User, "change", administrator.pk), posted).status_code == 403
    for verb in ("disable", "end_sessions", "clear_lock"):
        assert client.post(page(User, verb, administrator.pk), {"confirmed": "yes"}).status_code == 404
    administrator.refresh_from_db()
    assert administrator.name == "Administrator"
    assert administrator.temporary_until is None


@pytest.mark.parametrize("role", [roles.Role.BASIC, roles.Role.HELP_DESK])
def test_with_a_role_nobody_is_made_administrator(playing, colleague, recipient, role):
    client = playing(role)
    client.post(page(User, "change", colleague.pk), {"name": "New", "is_staff": "on", "role": "", "allow_logon": "on"})
    colleague.refresh_from_db()
    assert (colleague.name, colleague.is_staff) == ("New", False)
    client.post(page(User, "add"), {"address": "new@north.example", "is_staff": "on", "allow_logon": "on"})
    assert not User.objects.filter(address="new@north.example", is_staff=True).exists()


@pytest.mark.parametrize(("role", "licensed"), [("", True), (roles.Role.BASIC, True), (roles.Role.HELP_DESK, False)])
def test_who_gives_licences(playing, colleague, role, licensed):
    posted = {"name": "Colleague", "is_licensed": "on", "allow_logon": "on"}
    playing(role).post(page(User, "change", colleague.pk), posted)
    colleague.refresh_from_db()
    assert colleague.is_licensed == licensed


@pytest.mark.parametrize("role", [roles.Role.HELP_DESK, roles.Role.AUDITOR])
def test_nothing_is_changed_through_a_list_or_an_inline(playing, north, sender, role):
    client = playing(role)
    before = Definition.objects.get(pk=north.definition.pk).position
    posted = {"form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": north.definition.pk, "form-0-position": 9}
    assert client.post(page(Definition, "changelist"), posted | {"_save": "Save"}).status_code == 403
    assert Definition.objects.get(pk=north.definition.pk).position == before
    inline = {"bulk_sender_packs-TOTAL_FORMS": 1, "bulk_sender_packs-INITIAL_FORMS": 0}
    pack = {"bulk_sender_packs-0-recipients": 5, "bulk_sender_packs-0-first_month": "2030-01"}
    client.post(page(LicensedSender, "change", sender.pk), inline | pack)
    assert not sender.bulk_sender_packs.exists()


def test_a_role_is_given_taken_and_written_down(north, colleague, events, administrator):
    url, posted = page(User, "change", colleague.pk), {"name": "Colleague", "allow_logon": "on", "is_staff": "on"}
    north.client.post(url, {**posted, "role": "help_desk"})
    assert roles.role_of(User.objects.get(pk=colleague.pk)) == "help_desk"
    assert '<option value="help_desk" selected>' in north.client.get(url).content.decode()
    north.client.post(url, {**posted, "role": ""})
    assert roles.role_of(User.objects.get(pk=colleague.pk)) == ""
    given = AuditEvent.objects.filter(action="user.role_given").order_by("id")
    assert [event.details["role"] for event in given] == ["help_desk", ""]
    north.client.post(url, {**posted, "role": "auditor"})
    north.client.post(url, {"name": "Colleague", "allow_logon": "on", "role": "auditor"})
    user = User.objects.get(pk=colleague.pk)
    assert (user.is_staff, roles.role_of(user)) == (False, "")


def test_a_role_that_is_taken_ends_what_it_allowed_on_the_next_request(playing, administrator):
    client = playing(roles.Role.BASIC)
    assert client.get(page(Group, "changelist")).status_code == 200
    roles.give_role(actor=administrator, user=client.user, role=roles.Role.HELP_DESK)
    assert client.get(page(Group, "changelist")).status_code == 403


def test_nobody_changes_their_own_role(playing):
    client = playing("")
    posted = {"name": "Whole", "allow_logon": "on", "is_staff": "on", "role": "auditor"}
    client.post(page(User, "change", client.user.pk), posted)
    assert roles.role_of(User.objects.get(pk=client.user.pk)) == ""


def test_one_administrators_form_does_not_change_anothers(playing, colleague):
    playing(roles.Role.HELP_DESK).get(page(User, "change", colleague.pk))
    html = playing("").get(page(User, "change", colleague.pk)).content.decode()
    assert '<select name="role" id="id_role"' in html or '<select name="role"' in html
    assert "disabled" not in html.partition('name="role"')[2][:120]


def test_a_superuser_is_not_bound_by_a_role(operator, administrator, log_in):
    roles.give_role(actor=administrator, user=operator, role=roles.Role.AUDITOR)
    assert log_in(operator).get(page(Organization, "add")).status_code == 200


def test_the_list_of_users_says_who_has_which_role(north, colleague, administrator):
    colleague.is_staff = True
    colleague.save()
    roles.give_role(actor=administrator, user=colleague, role=roles.Role.HELP_DESK)
    html = north.client.get(page(User, "changelist")).content.decode()
    assert html.count(">Help Desk<") == 1
    assert html.count(">of everything<") == 1
