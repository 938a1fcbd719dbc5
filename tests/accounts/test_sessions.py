from datetime import timedelta

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db.models import F
from django.test import Client

from accounts import session_store, sessions, tasks
from accounts.models import PortalSession, User
from portal import moments
from portal.models import AuditEvent, Organization
from tests.conftest import PASSWORD

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def loaded(client, db):
    """A process's first page takes longer than the second that is left here."""
    client.get("/")


def age(by: timedelta, *columns: str) -> None:
    """As if so much time had passed since."""
    PortalSession.objects.update(**{column: F(column) - by for column in columns})


def be_idle(by: timedelta) -> None:
    PortalSession.objects.update(last_seen_at=moments.now() - by)


def is_inside(client: Client, url: str = "/inbox/") -> bool:
    return client.get(url).status_code == 200


@pytest.mark.parametrize(("idle", "inside"), [(60 * MINUTE - SECOND, True), (60 * MINUTE, False)])
def test_it_ends_after_an_hour_without_activity(log_in, recipient, idle, inside):
    client = log_in(recipient)
    be_idle(idle)
    assert is_inside(client) is inside


@pytest.mark.parametrize(("idle", "inside"), [(10 * MINUTE - SECOND, True), (10 * MINUTE, False)])
def test_an_organisation_may_shorten_it(log_in, recipient, organization, idle, inside):
    Organization.objects.filter(pk=organization.pk).update(idle_minutes=10)
    client = log_in(recipient)
    be_idle(idle)
    assert is_inside(client) is inside


@pytest.mark.parametrize(("lived", "inside"), [(12 * 60 * MINUTE - 2 * SECOND, True), (12 * 60 * MINUTE, False)])
def test_it_ends_after_twelve_hours_however_active(log_in, recipient, lived, inside):
    client = log_in(recipient)
    age(lived, "created_at", "expire_date")
    assert is_inside(client) is inside


@pytest.mark.parametrize(("idle", "inside"), [(15 * MINUTE - SECOND, True), (15 * MINUTE, False)])
def test_the_console_ends_after_fifteen_minutes(log_in, administrator, idle, inside):
    client = log_in(administrator)
    be_idle(idle)
    assert is_inside(client, "/admin/") is inside


def test_a_pause_cannot_be_walked_around_through_the_portal(log_in, administrator):
    client = log_in(administrator)
    be_idle(16 * MINUTE)
    assert is_inside(client, "/inbox/")
    response = client.get("/admin/")
    assert response.status_code == 302
    assert response.url.startswith("/p/north/?next=%2Fadmin%2F")
    assert not is_inside(client)  # logging in again is one log-in, for both


@pytest.mark.parametrize(("lived", "inside"), [(8 * 60 * MINUTE - 2 * SECOND, True), (8 * 60 * MINUTE, False)])
def test_the_console_ends_after_eight_hours(log_in, administrator, lived, inside):
    client = log_in(administrator)
    age(lived, "created_at", "expire_date")
    assert is_inside(client, "/admin/") is inside


def test_activity_keeps_it_alive(log_in, recipient):
    client = log_in(recipient)
    for _ in range(3):
        be_idle(59 * MINUTE)
        assert is_inside(client)


@pytest.mark.parametrize(("ago", "recorded"), [(9 * SECOND, False), (11 * SECOND, True)])
def test_activity_is_recorded_every_ten_seconds_at_most(log_in, recipient, ago, recorded):
    client = log_in(recipient)
    be_idle(ago)
    before = PortalSession.objects.get().last_seen_at
    client.get("/inbox/")
    assert (PortalSession.objects.get().last_seen_at > before) is recorded


def test_a_slow_request_does_not_turn_the_clock_back(log_in, recipient):
    log_in(recipient)
    row = PortalSession.objects.get()
    row.last_seen_at -= MINUTE
    earlier = row.last_seen_at + 30 * SECOND
    sessions.record_activity(row, earlier)
    assert PortalSession.objects.get().last_seen_at > earlier


def test_a_page_pays_one_query_for_knowing_who_it_is(log_in, recipient, django_assert_num_queries):
    client = log_in(recipient)
    # The session with its limits, its user, their organisation and domain.
    with django_assert_num_queries(1):
        response = client.get("/")
    assert recipient.address in response.content.decode()


def test_the_session_ends_with_the_browser(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD)
    cookie = client.cookies["session"]
    assert cookie["max-age"] == "" and cookie["expires"] == ""
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_the_table_does_not_hold_the_key(log_in, recipient):
    client = log_in(recipient)
    row = PortalSession.objects.get()
    assert row.user == recipient
    assert row.session_key != client.cookies["session"].value
    thief = Client()
    thief.cookies["session"] = row.session_key
    assert not is_inside(thief)


def test_the_browser_is_noted_for_its_owner(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD, headers={"user-agent": "Test Browser 1.0"})
    assert PortalSession.objects.get().browser == "Test Browser 1.0"


def test_ending_all_but_one(log_in, recipient, second_recipient):
    kept, other, foreign = log_in(recipient), log_in(recipient), log_in(second_recipient)
    assert sessions.end_sessions(recipient, keep=kept.cookies["session"].value) == 1
    assert [is_inside(client) for client in (kept, other, foreign)] == [True, False, True]


def test_ten_at_once_and_the_eleventh_ends_the_one_used_longest_ago(recipient, second_recipient, try_log_in, log_in):
    other = log_in(second_recipient)
    browsers = [Client() for _number in range(11)]
    for number, client in enumerate(browsers):
        if number == 10:
            assert is_inside(browsers[0])  # used just now: the second is the oldest
        network = f"192.0.2.{number}"
        assert try_log_in(client, recipient.address, PASSWORD, REMOTE_ADDR=network).url == "/inbox/"
        PortalSession.objects.filter(user=recipient).update(last_seen_at=F("last_seen_at") - 20 * SECOND)
    assert [is_inside(client) for client in browsers] == [True, False] + [True] * 9
    assert is_inside(other)
    assert AuditEvent.objects.get(action="sessions.ended_as_too_many").details == {"number": 1}


def test_an_administrator_ends_all_of_a_persons(log_in, recipient, administrator):
    client = log_in(recipient)
    assert sessions.end_all(actor=administrator, user=recipient) == 1
    assert not is_inside(client)
    event = AuditEvent.objects.get(action="sessions.ended")
    assert (event.actor_id, event.about, event.details) == (administrator.pk, recipient.pk, {"number": 1})


@pytest.mark.parametrize("change", [{"allow_logon": False}, {"disabled_at": "2026-01-01T00:00Z"}])
def test_a_right_taken_away_counts_on_the_next_request(log_in, recipient, change):
    client = log_in(recipient)
    User.objects.filter(pk=recipient.pk).update(**change)
    assert not is_inside(client)


def test_a_session_ended_during_a_request_does_not_come_back(log_in, recipient):
    client = log_in(recipient)
    store = session_store.SessionStore(client.cookies["session"].value)
    store["note"] = "x"
    sessions.end_sessions(recipient)
    with pytest.raises(UpdateError):
        store.save()
    assert not PortalSession.objects.exists()


def test_nobody_without_a_cookie_costs_a_query(client, organization, django_assert_num_queries):
    with django_assert_num_queries(0):
        client.get("/")


@pytest.mark.parametrize("cookie", ["", "short", "x" * 32, "\x00" * 32, "x" * 5000])
def test_a_foreign_cookie_opens_nothing(organization, cookie):
    client = Client()
    client.cookies["session"] = cookie
    assert not is_inside(client)


def test_the_clock_clears_what_is_over(log_in, recipient, second_recipient):
    log_in(recipient)
    be_idle(60 * MINUTE)
    log_in(second_recipient)
    tasks.clear_ended_sessions()
    assert PortalSession.objects.count() == 2  # for a day it is known whose they were
    PortalSession.objects.filter(user=recipient).update(last_seen_at=moments.now() - 25 * 60 * MINUTE)
    tasks.clear_ended_sessions()
    assert PortalSession.objects.get().user == second_recipient
    age(36 * 60 * MINUTE, "expire_date")
    tasks.clear_ended_sessions()
    assert not PortalSession.objects.exists()


def test_a_session_is_over_once_the_password_is_another_one(log_in, recipient):
    """Even if whatever changed it ended no session."""
    client = log_in(recipient)
    recipient.set_password("another correct horse battery")
    recipient.save()
    assert client.get("/inbox/").status_code == 302
    assert not PortalSession.objects.filter(user=recipient).exists()


def test_sessions_outlive_a_new_secret_key(log_in, recipient, settings):
    client = log_in(recipient)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "y" * 50
    assert client.get("/inbox/").status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get("/inbox/").status_code == 200
