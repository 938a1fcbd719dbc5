import pytest

from accounts.models import InternalDomain, User
from portal.models import AuditEvent, Organization

from .conftest import page

FIELDS = {
    "name": "West Trust",
    "slug": "west",
    "retention_days": 90,
    "idle_minutes": 30,
    "first_visit_hours": 48,
    "reply_to": "help@west.example",
    "language": "en-gb",
    "time_zone": "Europe/London",
}


def test_the_operator_creates_one(operator, log_in, events):
    client = log_in(operator)
    assert client.post(page(Organization, "add"), FIELDS).status_code == 302
    west = Organization.objects.get(slug="west")
    assert (west.retention_days, west.time_zone) == (90, "Europe/London")
    assert events(west) == [(operator.address, "organization.created")]
    assert AuditEvent.objects.get(about=west.pk).organization == west


def test_the_operator_furnishes_it_with_a_first_administrator(operator, log_in):
    client = log_in(operator)
    client.post(page(Organization, "add"), FIELDS)
    west = Organization.objects.get(slug="west")
    client.post(page(InternalDomain, "add"), {"organization": west.pk, "name": "west.example"})
    password = "a long and quiet river bends"
    client.post(
        page(User, "add"),
        {
            "organization": west.pk,
            "address": "admin@west.example",
            "is_staff": "on",
            "allow_logon": "on",
            "new_password": password,
            "confirm_password": password,
        },
    )
    user = User.objects.get(address="admin@west.example")
    assert (user.organization, user.is_staff, user.is_internal) == (west, True, True)
    assert log_in(user).get("/admin/").status_code == 200


def test_an_administrator_creates_none(north):
    assert north.client.get(page(Organization, "add")).status_code == 403
    assert north.client.post(page(Organization, "add"), FIELDS).status_code == 403
    assert not Organization.objects.filter(slug="west").exists()


def test_nobody_deletes_one(north, operator, log_in):
    for client in (north.client, log_in(operator)):
        assert client.post(page(Organization, "delete", north.organization.pk), {"post": "yes"}).status_code == 403


def test_an_administrator_changes_the_own_settings_and_no_slug(north, events, administrator):
    response = north.client.get(page(Organization, "changelist"), follow=True)
    assert response.request["PATH_INFO"] == page(Organization, "change", north.organization.pk)
    assert 'name="slug"' not in response.content.decode()
    north.client.post(page(Organization, "change", north.organization.pk), FIELDS)
    changed = Organization.objects.get(pk=north.organization.pk)
    assert (changed.name, changed.slug, changed.retention_days) == ("West Trust", "north", 90)
    assert events(changed) == [(administrator.address, "organization.changed")]
    assert "retention_days" in AuditEvent.objects.get(about=changed.pk).details["fields"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"idle_minutes": 61},
        {"idle_minutes": 0},
        {"retention_days": 0},
        {"retention_days": 3651},
        {"first_visit_hours": 73},
        {"time_zone": "Europe/Nowhere"},
        {"language": "xx"},
        {"reply_to": "a@b\r\nBcc: c@d.example"},
        {"name": ""},
    ],
)
def test_values_out_of_bounds_are_refused(north, wrong):
    response = north.client.post(page(Organization, "change", north.organization.pk), {**FIELDS, **wrong})
    assert response.status_code == 200
    assert Organization.objects.get(pk=north.organization.pk).name == "North Clinic"
