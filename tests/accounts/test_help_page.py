"""Help without logging in: what support needs, ready to copy, and answers that fit the organisation's settings."""

import re

import pytest

from accounts.models import LogInAttempt
from portal.models import Organization
from tests.conftest import PASSWORD

URL = "/p/north/help/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/128.0"


def facts(response) -> str:
    return re.search(r'<textarea id="facts"[^>]*>(.*?)</textarea>', response.content.decode(), re.S)[1]


def test_a_failed_log_in_leads_there_with_all_that_support_needs(client, recipient, try_log_in, reference_of):
    failed = try_log_in(client, recipient.address, "wrong", HTTP_USER_AGENT=FIREFOX)
    assert f'action="{URL}"' in failed.content.decode()
    reference = reference_of(failed)
    form = {"address": recipient.address, "reference": reference}
    shown = facts(client.post(URL, form, HTTP_USER_AGENT=FIREFOX))
    attempt = LogInAttempt.objects.get()
    assert f"{attempt.at:%Y-%m-%d %H:%M:%S}" in shown
    for words in ("http://127.0.0.1:8000/p/north/", recipient.address, reference, "Firefox 128 on Windows", FIREFOX):
        assert words in shown


def test_it_looks_the_same_for_an_unknown_address(client, recipient, try_log_in, reference_of):
    shown = []
    for address in (recipient.address, "nobody@outside.example"):
        reference = reference_of(try_log_in(client, address, "wrong"))
        page = client.post(URL, {"address": address, "reference": reference}).content.decode()
        page = re.sub(r"\d\d:\d\d:\d\d", "", page.replace(address, "").replace(reference, ""))
        shown.append(re.sub(r'value="\w{64}"', "", page))
    assert shown[0] == shown[1]


def test_a_code_alone_tells_nothing(client, recipient, try_log_in, reference_of):
    reference = reference_of(try_log_in(client, recipient.address, "wrong"))
    LogInAttempt.objects.update(at="2020-01-01T00:00:00Z")
    assert "2020" not in facts(client.post(URL, {"address": "x@y.example", "reference": reference}))
    assert recipient.address not in client.post(URL, {"reference": reference}).content.decode()


@pytest.mark.parametrize("agent", ["curl/8", "", FIREFOX.replace("128", "52")])
def test_an_old_browser_is_told(client, organization, agent):
    page = client.get(URL, HTTP_USER_AGENT=agent).content.decode()
    assert "older than those we support" in page and "Firefox 115" in page


@pytest.mark.parametrize(
    ("settings_of", "words"),
    [
        ({}, "Passwords do not expire by age here"),
        ({"password_age_days": 90}, "Passwords last 90 days here"),
        ({"first_visit_mode": "by_telephone"}, "tells you a temporary password by telephone"),
        ({"first_visit_mode": "link"}, "a link that lets you create one"),
        ({"reset_mode": "by_telephone"}, "Call North Clinic: an administrator tells you a temporary password"),
        ({"first_visit_hours": 48}, "It lasts 48 hours"),
        ({"recall_destroys_quotes": True}, "is destroyed too"),
        ({"recall_destroys_quotes": False}, "Replies and forwards keep"),
        ({"retention_days": 30}, "longer than 30 days"),
        ({"bcc_to_mail_server": True}, "North Clinic has switched on “Send BCC to Mail Server”"),
        ({"bcc_to_mail_server": False}, "has “Send BCC to Mail Server” switched off"),
        (
            {"max_attachment_mb": 25, "max_message_mb": 50},
            "One file up to 25 MB, one message with all its files up to 50",
        ),
        (
            {"forbidden_types": "exe, js"},
            "files that end in exe, js, nor ZIP archives with such",
        ),
        ({"idle_minutes": 20}, "after 20 minutes"),
        ({"support_contact": "Help desk, 020 7946 0000"}, "Help desk, 020 7946 0000"),
    ],
)
def test_answers_fit_the_settings(client, organization, settings_of, words):
    Organization.objects.filter(pk=organization.pk).update(**settings_of)
    assert words in client.get(URL).content.decode()


QUESTIONS = """
    I have forgotten my password, or it has expired
    Why is a message open when I log in, or none?
    Why can I extend a message only once?
    What does a recall take back?
    Why is a message in my Inbox and in Sent Items?
    To how many people can I send?
    Notifications land under Promotions or in the junk folder
"""


def test_the_questions_people_ask(client, organization):
    asked = re.findall(r"<summary>(.*?)</summary>", client.get(URL).content.decode())
    assert {line.strip() for line in QUESTIONS.strip().splitlines()} <= set(asked)


def test_what_was_posted_is_shown_as_text(client, organization):
    page = client.post(URL, {"address": "</textarea><script>x", "reference": "a\r\nb\x00"}).content.decode()
    assert "<script>x" not in page and "&lt;/textarea&gt;" in page


def test_the_log_in_page_names_whom_to_report_a_suspicious_mail_to(client, organization):
    assert "suspicious" not in client.get("/p/north/").content.decode()
    Organization.objects.update(support_contact="security@north.example")
    page = client.get("/p/north/").content.decode()
    assert "To report a suspicious email, or to get help: security@north.example" in page
    assert f'href="{URL}"' in page


def test_logged_in_or_not(log_in, recipient, client):
    assert log_in(recipient).get(URL).status_code == 200
    assert client.get(URL).status_code == 200
    assert PASSWORD not in client.get(URL).content.decode()
