"""The groups on a user's page, and a domain that becomes the organisation's own."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import roles
from accounts.models import Domain, ExternalDomain, Group, User
from portal.models import AuditEvent

from .conftest import just_confirmed, page

FIELDS = {"name": "Colleague", "allow_logon": "on"}


@pytest.fixture
def ward(organization) -> Group:
    return Group.objects.create(organization=organization, name="Ward")


def test_a_users_groups_are_shown_and_changed(north, colleague, ward, administrator, events):
    url = page(User, "change", colleague.pk)
    html = north.client.get(url).content.decode()
    assert "Ward" in html
    assert "north people" in html
    north.client.post(url, {**FIELDS, "member_of": [str(ward.pk)]})
    assert list(colleague.member_of.all()) == [ward]
    north.client.post(url, {**FIELDS, "member_of": [str(north.group.pk)]})
    assert list(colleague.member_of.all()) == [north.group]
    assert events(colleague) == [(administrator.address, "user.groups_changed")] * 2
    last = AuditEvent.objects.filter(action="user.groups_changed").latest("id")
    assert last.details == {"joined": ["north people"], "left": ["Ward"]}


def test_what_is_not_changed_is_not_written_down(north, colleague, ward, events):
    colleague.member_of.add(ward)
    north.client.post(page(User, "change", colleague.pk), {**FIELDS, "member_of": [str(ward.pk)]})
    assert events(colleague) == []


def test_a_foreign_group_is_neither_offered_nor_taken(north, south, colleague):
    url = page(User, "change", colleague.pk)
    assert "south people" not in north.client.get(url).content.decode()
    north.client.post(url, {**FIELDS, "member_of": [str(south.group.pk)]})
    assert not colleague.member_of.exists()


def test_an_external_user_is_in_no_group(north, recipient):
    assert 'name="member_of"' not in north.client.get(page(User, "change", recipient.pk)).content.decode()


def test_who_may_not_touch_groups_leaves_them_as_they_are(playing, colleague, ward):  # noqa: F811
    colleague.member_of.add(ward)
    client = playing(roles.Role.HELP_DESK)
    assert 'name="member_of"' not in client.get(page(User, "change", colleague.pk)).content.decode()
    client.post(page(User, "change", colleague.pk), FIELDS)
    assert list(colleague.member_of.all()) == [ward]


# --- A domain --------------------------------------------------------------------------------------------------------


def move(client, domain) -> object:
    return client.post(reverse("admin:accounts_externaldomain_move", args=[domain.pk]))


def test_an_external_domain_becomes_internal(north, recipient, administrator, events):
    url = reverse("admin:accounts_externaldomain_move", args=[recipient.domain_id])
    assert "1 user becomes internal" in north.client.get(url).content.decode()
    assert (
        north.client.get(page(ExternalDomain, "change", recipient.domain_id), follow=True).content.decode().count(url)
    )
    assert move(north.client, recipient.domain).status_code == 302
    assert User.objects.get(pk=recipient.pk).is_internal
    assert events(recipient.domain) == [(administrator.address, "domain.made_internal")]
    assert move(north.client, recipient.domain).status_code == 404


def test_it_is_asked_who_it_is_first(north, recipient):
    just_confirmed(north.client, timedelta(minutes=6))
    assert move(north.client, recipient.domain).url.startswith(reverse("confirm"))
    assert not Domain.objects.get(pk=recipient.domain_id).is_internal


def test_a_foreign_domain_is_not_found(north, south):
    assert move(north.client, south.external).status_code == 404
    assert not Domain.objects.get(pk=south.external.pk).is_internal


@pytest.mark.parametrize("role", [roles.Role.HELP_DESK, roles.Role.AUDITOR])
def test_who_only_looks_moves_nothing(playing, recipient, role):  # noqa: F811
    assert move(just_confirmed(playing(role)), recipient.domain).status_code == 403
    assert not Domain.objects.get(pk=recipient.domain_id).is_internal
