from datetime import timedelta

import pytest

from accounts.models import PortalSession, User
from portal import delivery, moments
from portal.models import AuditEvent
from tests.conftest import PASSWORD

URL = "/account/password/"
NEW = "seven quiet lanterns over water"


def change(client, current: str = PASSWORD, new: str = NEW, again: str | None = None):
    form = {"current_password": current, "new_password": new, "confirm_password": new if again is None else again}
    return client.post(URL, form)


def test_it_changes_with_the_current_one_and_ends_every_other_session(log_in, recipient, smtp):
    here, there = log_in(recipient), log_in(recipient)
    before = here.cookies["session"].value
    assert change(here).url == "/account/"
    recipient.refresh_from_db()
    assert recipient.check_password(NEW)
    assert here.cookies["session"].value != before
    assert here.get("/inbox/").status_code == 200
    assert there.get("/inbox/").status_code == 302
    assert PortalSession.objects.count() == 1
    delivery.deliver_due()
    assert smtp.messages[-1]["Subject"] == "North Clinic: Your password has been set"
    assert AuditEvent.objects.filter(action="password.set", about=recipient.pk).exists()


@pytest.mark.parametrize("current", ["", "wrong", PASSWORD + " ", "x" * 2000])
def test_not_without_the_current_one(log_in, recipient, current):
    client = log_in(recipient)
    response = change(client, current)
    assert response.status_code == 200
    recipient.refresh_from_db()
    assert recipient.check_password(PASSWORD)


def test_guesses_at_the_current_one_are_limited(log_in, recipient):
    client = log_in(recipient)
    for _ in range(5):
        change(client, "wrong")
    recipient.refresh_from_db()
    assert recipient.failures == 5
    assert "too many tries" in change(client).content.decode()
    User.objects.update(next_try_at=moments.now() - timedelta(seconds=1))
    assert change(client).status_code == 302
    recipient.refresh_from_db()
    assert recipient.failures == 0


@pytest.mark.parametrize(
    ("new", "again", "words"),
    [
        ("short", "short", "What is missing is marked below"),
        (NEW, NEW + "x", "What is missing is marked below"),
        (PASSWORD, PASSWORD, "That is the password you have"),
        ("x" * 1025, "x" * 1025, "What is missing is marked below"),
    ],
)
def test_the_rules_are_those_of_the_first_visit(log_in, recipient, new, again, words):
    response = change(log_in(recipient), PASSWORD, new, again)
    assert words in response.content.decode()


def test_is_it_still_you(log_in, recipient):
    client = log_in(recipient)
    assert client.post("/account/confirm/?next=/inbox/", {"current_password": "wrong"}).status_code == 200
    assert client.post("/account/confirm/?next=/inbox/", {"current_password": PASSWORD}).url == "/inbox/"
    assert client.post("/account/confirm/?next=//evil.example", {"current_password": PASSWORD}).url == "/account/"
