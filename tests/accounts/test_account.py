"""The page "Account": preferences, sessions, and what other rooms read of them."""

import re
from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.test import Client

from accounts import browsers, preferences
from accounts.models import PortalSession, User
from portal.models import AuditEvent, Organization
from tests.conftest import PASSWORD

from .test_second_factor import forget_the_confirmation

URL = "/account/"
FIELDS = {
    "language": "en",
    "time_zone": "Europe/Berlin",
    "date_format": "iso",
    "time_format": "12",
    "week_starts_on": "sunday",
    "notify": "daily",
    "wants_reminders": "on",
    "phrase": "  blue  heron  at dusk ",
}
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"


def test_it_is_reached_from_every_page(log_in, recipient):
    client = log_in(recipient)
    assert 'href="/account/">Account</a>' in client.get("/inbox/").content.decode()
    assert client.get(URL).status_code == 200


def test_preferences_are_stored_and_shown_again(log_in, recipient):
    client = log_in(recipient)
    assert client.post(URL, FIELDS).url == URL
    recipient.refresh_from_db()
    assert (recipient.language, recipient.time_zone, recipient.notify) == ("en", "Europe/Berlin", "daily")
    assert recipient.wants_reminders is True
    assert preferences.phrase_of(recipient) == "blue heron at dusk"
    User.objects.update(language="")
    page = client.get(URL).content.decode()
    assert 'value="blue heron at dusk"' in page and '<option value="daily" selected>' in page
    client.post(URL, {"notify": "at_once"})
    recipient.refresh_from_db()
    assert recipient.sealed_phrase is None and recipient.wants_reminders is False and recipient.time_zone == ""


def test_the_phrase_is_sealed_and_in_no_log(log_in, recipient):
    log_in(recipient).post(URL, FIELDS)
    row = User.objects.get(pk=recipient.pk)
    assert b"heron" not in bytes(row.sealed_phrase)
    event = AuditEvent.objects.get(action="preferences.changed")
    assert "heron" not in str(event.details)
    assert set(event.details["fields"]) == set(FIELDS) - {"wants_reminders"}


def test_saving_what_is_there_already_is_no_event(log_in, recipient):
    client = log_in(recipient)
    client.post(URL, FIELDS)
    client.post(URL, FIELDS)
    assert AuditEvent.objects.filter(action="preferences.changed").count() == 1


@pytest.mark.parametrize("field", ["language", "time_zone", "date_format", "time_format", "week_starts_on", "notify"])
def test_what_is_not_offered_is_refused(log_in, recipient, field):
    response = log_in(recipient).post(URL, FIELDS | {field: "../etc/passwd"})
    assert response.status_code == 200
    recipient.refresh_from_db()
    assert recipient.time_zone == ""


@pytest.fixture
def three_languages(settings):
    """As if the portal spoke French, too."""
    settings.LANGUAGES = [*settings.LANGUAGES, ("fr", "français")]


@pytest.mark.parametrize(
    ("own", "asked", "organizations", "shown"),
    [
        ("fr", "en", "en-gb", "fr"),
        ("", "fr-CH, en;q=0.8", "en-gb", "fr"),
        ("", "xx, en-US;q=0.5", "fr", "en"),
        ("", "xx", "fr", "fr"),
        ("", "", "fr", "fr"),
    ],
)
def test_ones_own_language_then_the_browsers_then_the_organisations(
    three_languages, log_in, recipient, own, asked, organizations, shown
):
    Organization.objects.update(language=organizations)
    User.objects.filter(pk=recipient.pk).update(language=own)
    page = log_in(recipient).get(URL, headers={"Accept-Language": asked}).content.decode()
    assert f'<html lang="{shown}"' in page


def test_no_page_says_it_is_in_a_language_the_portal_does_not_speak(client, organization):
    page = client.get("/p/north/", headers={"Accept-Language": "de-DE,de;q=0.9"}).content.decode()
    assert '<html lang="en-gb"' in page


def test_the_zone_of_pages(log_in, recipient):
    User.objects.filter(pk=recipient.pk).update(time_zone="Asia/Tokyo")
    assert "JST" in log_in(recipient).get(URL).content.decode()


def test_dates_as_the_reader_prefers(recipient):
    at = datetime(2030, 1, 31, 17, 30, tzinfo=UTC)
    shown = Template("{% load ui %}{% moment at %}")

    def text(**chosen) -> str:
        user = User(organization=recipient.organization, **chosen)
        html = shown.render(Context({"at": at, "user": user, "organization": recipient.organization}))
        return re.sub("<[^>]*>", "", html).strip()

    assert text(date_format="iso") == "2030-01-31, 17:30 UTC"
    assert text(date_format="month_first", time_format="12") == "January 31, 2030, 5:30 p.m. UTC"
    assert text(time_zone="Asia/Tokyo", date_format="day_first") == "1 February 2030, 02:30 JST"


# --- Sessions ---------------------------------------------------------------------------------------------------


@pytest.fixture
def two_browsers(recipient, try_log_in) -> tuple[Client, Client]:
    here, there = Client(), Client(HTTP_USER_AGENT=CHROME)
    for client in (here, there):
        assert try_log_in(client, recipient.address, PASSWORD).status_code == 302
    return here, there


def key_of(page: str) -> str:
    [key] = re.findall(r'name="session" value="(\w+)"', page)
    return key


def test_one_sees_where_one_is_logged_in_and_ends_it(two_browsers):
    here, there = two_browsers
    page = here.get(URL).content.decode()
    assert "Chrome 131 on Android" in page and "(here)" in page
    assert here.post("/account/sessions/end/", {"session": key_of(page)}).url == URL
    assert there.get("/inbox/").status_code == 302
    assert here.get("/inbox/").status_code == 200
    assert AuditEvent.objects.filter(action="session.ended").count() == 1


def test_all_others_end_at_once(two_browsers):
    here, there = two_browsers
    here.post("/account/sessions/end/")
    assert there.get("/inbox/").status_code == 302
    assert here.get("/inbox/").status_code == 200


def test_whose_browser_it_is_is_asked_before(two_browsers):
    here, there = two_browsers
    forget_the_confirmation(here)
    for form in ({"session": key_of(here.get(URL).content.decode())}, {}):
        assert here.post("/account/sessions/end/", form).url == "/account/confirm/?next=%2Faccount%2F"
    assert there.get("/inbox/").status_code == 200


def test_nobody_ends_another_persons(two_browsers, try_log_in, second_recipient):
    here, there = two_browsers
    key = key_of(here.get(URL).content.decode())
    client = Client()
    try_log_in(client, second_recipient.address, PASSWORD)
    assert client.post("/account/sessions/end/", {"session": key}).status_code == 404
    assert client.post("/account/sessions/end/", {"session": "x" * 500}).status_code == 404
    client.post("/account/sessions/end/")
    assert there.get("/inbox/").status_code == 200


def test_a_key_on_the_page_opens_nothing(two_browsers):
    here, _there = two_browsers
    thief = Client()
    thief.cookies["session"] = key_of(here.get(URL).content.decode())
    assert thief.get("/inbox/").status_code == 302


def test_sessions_that_are_over_are_not_listed(two_browsers):
    here, _there = two_browsers
    PortalSession.objects.filter(browser=CHROME).update(last_seen_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert "Chrome 131" not in here.get(URL).content.decode()


@pytest.mark.parametrize(
    ("agent", "words", "supported"),
    [
        (CHROME, "Chrome 131 on Android", True),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Firefox 128 on Windows",
            True,
        ),
        ("Mozilla/5.0 (Windows NT 6.1) Gecko/20100101 Firefox/52.0", "Firefox 52 on Windows", False),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari 17 on iPhone",
            True,
        ),
        (CHROME + " Edg/131.0.0.0", "Edge 131 on Android", True),
        ("curl/8.0", "A browser we do not know", False),
        ("", "A browser we do not know", False),
    ],
)
def test_browsers_in_words(agent, words, supported):
    assert browsers.in_words(agent) == words
    assert browsers.is_supported(agent) is supported
