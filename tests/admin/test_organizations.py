from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import InternalDomain, User
from messaging import drafts, sending
from messaging.models import Message
from portal.admin.effects import EFFECTS
from portal.ids import uuid7
from portal.models import AuditEvent, Organization

from .conftest import just_confirmed, page

FIELDS = {
    "name": "West Trust",
    "slug": "west",
    "retention_days": 90,
    "idle_minutes": 30,
    "first_visit_mode": "link",
    "first_visit_hours": 48,
    "reset_mode": "by_mail",
    "support_contact": "020 7946 0000",
    "undo_seconds": 30,
    "recall_destroys_quotes": "on",
    "reminder_days": "5, 2",
    "hourly_notifications": 20,
    "max_attachment_mb": 10,
    "max_message_mb": 20,
    "storage_mb": 300,
    "forbidden_types": "exe",
    "password_min_length": 16,
    "password_age_days": 0,
    "password_history": 0,
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
    client = just_confirmed(log_in(operator))
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
        {"undo_seconds": 121},
        {"reminder_days": "tomorrow"},
        {"max_attachment_mb": 2049},
        {"first_visit_mode": "never"},
        {"reset_mode": "by_telephone", "support_contact": ""},
        {"password_min_length": 7},
        {"max_attachment_mb": 21},
        {"max_message_mb": 301},
    ],
)
def test_values_out_of_bounds_are_refused(north, wrong):
    response = north.client.post(page(Organization, "change", north.organization.pk), {**FIELDS, **wrong})
    assert response.status_code == 200
    assert Organization.objects.get(pk=north.organization.pk).name == "North Clinic"


def test_every_setting_says_what_it_changes_for_what_is_there_already(north):
    no_settings = {"id", "closing_at", "closed_at"}
    assert {field.name for field in Organization._meta.concrete_fields} == set(EFFECTS) | no_settings
    html = north.client.get(page(Organization, "change", north.organization.pk)).content.decode()
    assert html.count("<span>") >= len(EFFECTS) - 1  # not the prefix, which only the operator changes
    for name in set(EFFECTS) - {"slug"}:
        assert f'name="{name}"' in html


def test_every_number_says_what_it_may_be(north):
    html = north.client.get(page(Organization, "change", north.organization.pk)).content.decode()
    for bounds in (
        "From 1 to 3650.",
        "From 1 to 60.",
        "From 1 to 72.",
        "From 8 to 64.",
        "From 0 to 120.",
        "At least 1.",
    ):
        assert bounds in html


@pytest.fixture
def aged(sender):
    """aged(days, …): a message sent that long ago, for each."""

    def send(*days: int) -> None:
        for age in days:
            text = drafts.DraftText(to="a@x.example", subject="Subject", body="<p>Body</p>")
            entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
            message = sending.send_draft(actor=sender, entry=entry).message
            Message.objects.filter(id=message.id).update(sent_at=timezone.now() - timedelta(days=age))

    return send


def test_a_shorter_retention_is_asked_for_once_more_with_numbers(north, aged, events):
    aged(200, 100, 10, 5)
    aged_drafts = Message.objects.create(
        organization=north.organization,
        sender=north.user,
        retention_key=Message.objects.first().retention_key,
        subject=b"",
        body=b"",
    )
    url = page(Organization, "change", north.organization.pk)
    response = north.client.post(url, FIELDS)
    html = response.content.decode()
    assert "Retention would be 90 days from now on." in html
    assert "2 messages are older than that and are destroyed within minutes" in html
    assert "2 more messages are destroyed earlier than they would have been, from" in html
    assert Organization.objects.get(pk=north.organization.pk).retention_days == 365
    assert events(north.organization) == []
    # A confirmation of another number is none.
    assert "Are you sure?" in north.client.post(url, {**FIELDS, "confirmed": 91}).content.decode()
    assert north.client.post(url, {**FIELDS, "confirmed": 90}).status_code == 302
    assert Organization.objects.get(pk=north.organization.pk).retention_days == 90
    assert aged_drafts.pk


def test_the_confirmation_carries_what_was_typed(north, aged):
    aged(200)
    url = page(Organization, "change", north.organization.pk)
    html = north.client.post(url, {**FIELDS, "name": 'West "& Sons"'}).content.decode()
    assert '<input type="hidden" name="name" value="West &quot;&amp; Sons&quot;">' in html
    assert '<input type="hidden" name="undo_seconds" value="30">' in html


@pytest.mark.parametrize("days", [365, 400])
def test_a_retention_that_is_no_shorter_is_not_asked_about(north, aged, days):
    aged(200)
    url = page(Organization, "change", north.organization.pk)
    assert north.client.post(url, {**FIELDS, "retention_days": days}).status_code == 302


def test_with_nothing_to_destroy_nothing_is_asked(north):
    url = page(Organization, "change", north.organization.pk)
    assert north.client.post(url, FIELDS).status_code == 302


def test_another_organizations_messages_are_not_counted(north, south, aged, other_organization):
    aged(200)
    Message.objects.update(organization=other_organization)
    url = page(Organization, "change", north.organization.pk)
    assert north.client.post(url, FIELDS).status_code == 302


def test_a_foreign_organizations_numbers_are_not_told(north, south):
    url = page(Organization, "change", south.organization.pk)
    assert north.client.post(url, FIELDS).status_code == 404
