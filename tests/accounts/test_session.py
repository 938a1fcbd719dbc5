"""What a page's script asks about the session, and the button that keeps it alive."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import PortalSession
from portal import moments
from portal.models import Organization


def age(by: timedelta) -> None:
    row = PortalSession.objects.get()
    PortalSession.objects.update(last_seen_at=row.last_seen_at - by)


def test_it_says_how_long_it_lasts(log_in, recipient):
    client = log_in(recipient)
    age(timedelta(minutes=57))
    assert 175 <= client.get("/session/").json()["seconds"] <= 180


def test_polling_is_no_activity(log_in, recipient):
    client = log_in(recipient)
    age(timedelta(minutes=59, seconds=58))
    seen = PortalSession.objects.get().last_seen_at
    for _ in range(3):
        client.get("/session/")
    assert PortalSession.objects.get().last_seen_at == seen
    age(timedelta(seconds=2))
    assert client.get("/session/").json() == {"seconds": 0}
    assert client.get("/inbox/").status_code == 302


def test_staying_is(log_in, recipient):
    client = log_in(recipient)
    age(timedelta(minutes=59))
    assert client.post("/session/stay/", headers={"Accept": "application/json"}).json()["seconds"] >= 3595
    age(timedelta(minutes=59))
    assert client.post("/session/stay/", {"next": "/sent/"}).url == "/sent/"
    assert client.post("/session/stay/", {"next": "https://evil.example/"}).url == "/inbox/"


def test_whoever_is_not_logged_in_has_no_time_left(client, db):
    assert client.get("/session/").json() == {"seconds": 0}
    assert client.post("/session/stay/").status_code == 302


def test_the_absolute_lifetime_counts_too(log_in, recipient):
    client = log_in(recipient)
    PortalSession.objects.update(expire_date=moments.now() + timedelta(seconds=90))
    assert 85 <= client.get("/session/").json()["seconds"] <= 90


def test_pages_carry_it(log_in, recipient, client):
    Organization.objects.update(idle_minutes=30)
    [seconds] = re.findall(r'data-session="(\d+)"', log_in(recipient).get("/inbox/").content.decode())
    assert 1790 <= int(seconds) <= 1800
    assert "data-session" not in client.get("/p/north/").content.decode()


@pytest.mark.parametrize("path", ["/session/"])
def test_asking_writes_nothing(log_in, recipient, path, django_assert_num_queries):
    client = log_in(recipient)
    age(timedelta(minutes=30))
    with django_assert_num_queries(1, connection=connection) as queries:  # the session and its user
        client.get(path)
    assert not any(query["sql"].startswith("UPDATE") for query in queries.captured_queries)
