"""The Permissions section of a user's page."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import PortalSession, User
from portal.models import AuditEvent, OutgoingMail

from .conftest import page

PASSWORD = "a long and quiet river bends"


@pytest.fixture
def save(north):
    """save(user, **fields): the user's page saved as it stands, with these fields changed (None: box not ticked)."""

    def save_page(user: User, **fields):
        user.refresh_from_db()
        posted = {"name": user.name, "new_password": "", "confirm_password": ""}
        posted |= {box: "on" for box in ("is_licensed", "is_staff", "allow_logon") if getattr(user, box)}
        posted |= fields
        posted = {name: value for name, value in posted.items() if value is not None}
        return north.client.post(page(User, "change", user.pk), posted)

    return save_page


def test_the_section_is_there(north, recipient):
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    for words in ("Permissions", "Allow Secure Messaging Logon", "Password", "Confirm Password", "Disable"):
        assert words in html


def test_a_password_is_temporary_ends_sessions_and_is_told(save, recipient, log_in, events, administrator):
    log_in(recipient)
    assert save(recipient, new_password=PASSWORD, confirm_password=PASSWORD).status_code == 302
    recipient.refresh_from_db()
    assert recipient.check_password(PASSWORD)
    left = recipient.temporary_until - timezone.now()
    assert timedelta(hours=23, minutes=58) < left <= timedelta(hours=24)
    assert not recipient.has_own_password
    assert not PortalSession.objects.filter(user=recipient).exists()
    mail = OutgoingMail.objects.get(kind="password_set_by_administrator")
    assert (mail.to_address, mail.about) == (recipient.address, recipient.pk)
    assert events(recipient) == [(administrator.address, "password.set_by_administrator")]
    assert not AuditEvent.objects.filter(details__icontains=PASSWORD).exists()


@pytest.mark.parametrize(
    ("password", "confirmation"),
    [("too short", "too short"), (PASSWORD, PASSWORD + "!"), (PASSWORD, ""), ("", PASSWORD), ("x" * 1025, "x" * 1025)],
)
def test_a_password_that_breaks_a_rule_changes_nothing(save, recipient, password, confirmation):
    response = save(recipient, name="Renamed", new_password=password, confirm_password=confirmation)
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    before = recipient.password
    recipient.refresh_from_db()
    assert (recipient.password, recipient.name) == (before, "First Recipient")
    assert password not in response.content.decode() or password == ""


def test_a_password_may_have_spaces_at_its_ends(save, recipient):
    save(recipient, new_password=f" {PASSWORD} ", confirm_password=f" {PASSWORD} ")
    recipient.refresh_from_db()
    assert recipient.check_password(f" {PASSWORD} ")


def test_a_new_user_may_be_given_one(north):
    north.client.post(
        page(User, "add"),
        {
            "address": "new@north.example",
            "allow_logon": "on",
            "is_licensed": "on",
            "new_password": PASSWORD,
            "confirm_password": PASSWORD,
        },
    )
    user = User.objects.get(address="new@north.example")
    assert user.check_password(PASSWORD)
    assert user.temporary_until
    assert user.is_licensed


def test_logon_is_switched_off_and_ends_sessions(save, recipient, log_in, events, administrator):
    log_in(recipient)
    save(recipient, allow_logon=None)
    recipient.refresh_from_db()
    assert not recipient.may_log_on
    assert not PortalSession.objects.filter(user=recipient).exists()
    save(recipient, allow_logon="on")
    assert events(recipient) == [
        (administrator.address, "user.logon_forbidden"),
        (administrator.address, "user.logon_allowed"),
    ]


def test_a_change_names_its_fields_and_no_values(save, colleague):
    save(colleague, name="Renamed", is_staff="on")
    event = AuditEvent.objects.get(about=colleague.pk)
    assert event.action == "user.changed"
    assert event.details == {"name": colleague.address, "fields": ["name", "is_staff"]}
    colleague.refresh_from_db()
    assert (colleague.name, colleague.is_staff, colleague.is_superuser) == ("Renamed", True, False)


def test_saving_without_a_change_writes_nothing(save, colleague, events):
    save(colleague)
    assert events(colleague) == []


def test_saving_leaves_what_a_log_in_counts_meanwhile(save, colleague):
    User.objects.filter(pk=colleague.pk).update(failures=4)
    save(colleague, name="Renamed")
    colleague.refresh_from_db()
    assert colleague.failures == 4


def test_licences_are_for_internal_users(save, colleague, recipient, events, administrator):
    save(colleague, is_licensed="on")
    colleague.refresh_from_db()
    assert colleague.is_licensed
    assert events(colleague) == [(administrator.address, "user.licensed")]
    response = save(recipient, is_licensed="on")
    assert "Only internal users can be licensed senders." in response.content.decode()
    recipient.refresh_from_db()
    assert not recipient.is_licensed


def test_disable_and_enable(north, recipient, log_in, events):
    log_in(recipient)
    html = north.client.post(page(User, "disable", recipient.pk)).content.decode()
    assert "From now on they cannot log in, and all their sessions end." in html
    recipient.refresh_from_db()
    assert recipient.may_log_on
    html = north.client.post(page(User, "disable", recipient.pk), {"confirmed": "yes"}, follow=True).content.decode()
    assert "The account is disabled" in html
    assert "Enable" in html
    recipient.refresh_from_db()
    assert recipient.disabled_at
    assert not PortalSession.objects.filter(user=recipient).exists()
    north.client.post(page(User, "enable", recipient.pk))
    recipient.refresh_from_db()
    assert recipient.may_log_on
    assert [action for _, action in events(recipient)] == ["user.disabled", "user.enabled"]


def test_sessions_are_counted_and_ended(north, recipient, log_in, events):
    log_in(recipient)
    log_in(recipient)
    assert "2 open" in north.client.get(page(User, "change", recipient.pk)).content.decode()
    north.client.post(page(User, "end_sessions", recipient.pk))
    assert not PortalSession.objects.filter(user=recipient).exists()
    assert [action for _, action in events(recipient)] == ["sessions.ended"]
    assert "End Sessions" not in north.client.get(page(User, "change", recipient.pk)).content.decode()


def test_a_lock_is_shown_and_cleared(north, recipient, events):
    locked = User.objects.filter(pk=recipient.pk)
    locked.update(failures=7, next_try_at=timezone.now() + timedelta(minutes=2))
    html = north.client.get(page(User, "change", recipient.pk)).content.decode()
    assert "7 since the last success" in html
    assert "locked until" in html
    listed = north.client.get(page(User, "changelist"), {"state": "locked"})
    assert listed.context["cl"].result_count == 1
    assert ">locked</td>" in listed.content.decode()
    north.client.post(page(User, "clear_lock", recipient.pk))
    recipient.refresh_from_db()
    assert (recipient.failures, recipient.next_try_at) == (0, None)
    assert [action for _, action in events(recipient)] == ["user.lock_cleared"]


@pytest.mark.parametrize("verb", ["disable", "enable", "end_sessions", "clear_lock"])
def test_verbs_reject_get(north, recipient, verb):
    assert north.client.get(page(User, verb, recipient.pk)).status_code == 405


def test_nobody_locks_themselves_out(north, save, administrator, recipient):
    own, others = (
        north.client.get(page(User, "change", user.pk)).content.decode() for user in (administrator, recipient)
    )
    assert 'class="verb">Disable<' in others
    assert 'class="verb">Disable<' not in own
    assert "Another administrator can disable it" in own
    assert reverse("admin:messaging_erasure_order", args=[administrator.pk]) not in own
    save(administrator, is_staff=None, allow_logon=None)
    confirmed = {"confirmed": "yes"}
    html = north.client.post(page(User, "disable", administrator.pk), confirmed, follow=True).content.decode()
    assert "You cannot disable your own account." in html
    administrator.refresh_from_db()
    assert administrator.is_staff
    assert administrator.may_log_on


def test_whom_one_may_only_look_at_has_no_buttons(north, operator):
    html = north.client.get(page(User, "change", operator.pk)).content.decode()
    assert "Current password" in html
    assert 'class="verb"' not in html


def test_nobody_is_deleted(north, recipient):
    assert north.client.post(page(User, "delete", recipient.pk), {"post": "yes"}).status_code == 403
    response = north.client.post(
        page(User, "changelist"), {"action": "delete_selected", "_selected_action": recipient.pk, "post": "yes"}
    )
    assert response.status_code == 200
    assert User.objects.filter(pk=recipient.pk).exists()


def test_the_history_is_the_audit_log(north, save, recipient):
    save(recipient, name="Renamed")
    html = north.client.get(page(User, "history", recipient.pk)).content.decode()
    assert "user.<wbr>changed" in html
    assert "admin@<wbr>north.<wbr>example" in html
