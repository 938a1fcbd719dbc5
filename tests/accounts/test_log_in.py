import uuid
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse

from accounts import passwords
from accounts.models import KnownBrowser, LogInAttempt, PortalSession, User
from portal.models import AuditEvent
from tests.conftest import PASSWORD

REFUSED = "Invalid username, password or permissions. Please check you are using the correct URL."


def test_it_asks_for_the_address_first(client, organization):
    response = client.get("/p/north/")
    assert response.status_code == 200
    assert response.context["step"] == "address"
    assert "Email Address" in response.content.decode()
    assert 'type="password"' not in response.content.decode()


def test_it_asks_for_the_password_next(client, recipient):
    response = client.post("/p/north/", {"address": " First@OUTSIDE.example "})
    assert response.context["step"] == "password"
    text = response.content.decode()
    assert 'value="first@outside.example"' in text
    assert "readonly" in text
    assert "Log In" in text


def test_it_says_what_is_no_address(client, organization):
    response = client.post("/p/north/", {"address": "first at outside"})
    assert response.context["step"] == "address"
    assert "is not an email address" in response.content.decode()


def test_it_opens_the_inbox_without_a_link(client, recipient, try_log_in):
    response = try_log_in(client, recipient.address, PASSWORD)
    assert (response.status_code, response.url) == (302, "/inbox/")
    assert client.get("/inbox/").status_code == 200
    recipient.refresh_from_db()
    assert recipient.first_logged_in_at is not None


def test_it_opens_the_message_of_the_link(client, recipient, try_log_in):
    entry = uuid.uuid4()
    link = reverse("log_in_to_message", args=["north", entry])
    assert client.get(link).status_code == 200
    response = try_log_in(client, recipient.address, PASSWORD, url=link)
    assert response.url == reverse("arrive", args=[entry])


def test_the_link_shows_the_same_page_whatever_its_id(client, organization):
    pages = {client.get(reverse("log_in_to_message", args=["north", uuid.uuid4()])).status_code for _ in range(2)}
    assert pages == {200}


def test_somebody_logged_in_follows_the_link_straight_on(log_in, recipient):
    entry = uuid.uuid4()
    response = log_in(recipient).get(reverse("log_in_to_message", args=["north", entry]))
    assert response.url == reverse("arrive", args=[entry])
    assert log_in(recipient).get("/p/north/").url == "/inbox/"


def test_somebody_of_another_organisation_is_offered_to_log_out(log_in, stranger, recipient):
    client = log_in(stranger)
    link = reverse("log_in_to_message", args=["north", uuid.uuid4()])
    response = client.get(link)
    assert response.status_code == 200
    assert response.templates[0].name == "accounts/logged_in_as.html"
    assert f'name="next" value="{link}"' in response.content.decode()
    response = client.post("/log-out/", {"next": link})
    assert response.url == link
    assert client.get(link).context["step"] == "address"


def test_nobody_knows_an_organisation_that_is_not_there(client, organization):
    assert client.get("/p/nowhere/").status_code == 404


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_it_rejects_other_methods(client, organization, method):
    assert getattr(client, method)("/p/north/").status_code == 405


def test_a_wrong_password_is_refused(client, recipient, try_log_in, reference_of):
    response = try_log_in(client, recipient.address, "wrong")
    assert response.status_code == 200
    assert REFUSED in response.content.decode()
    assert response.context["step"] == "password"
    assert 'value="first@outside.example"' in response.content.decode()
    assert client.get("/inbox/").status_code == 302
    attempt = LogInAttempt.objects.get(reference=reference_of(response))
    assert (attempt.cause, attempt.user, attempt.address) == ("wrong", recipient, recipient.address)


def test_the_typed_password_is_not_given_back(client, recipient, try_log_in):
    assert b"s3cret guess" not in try_log_in(client, recipient.address, "s3cret guess").content


def test_a_nul_character_is_refused_before_it_is_tried(client, recipient, try_log_in):
    response = try_log_in(client, recipient.address, "nul \x00 in it")
    assert (response.status_code, response.context["step"]) == (200, "password")
    assert not LogInAttempt.objects.exists()


def test_an_empty_password_is_no_try(client, recipient, try_log_in):
    response = try_log_in(client, recipient.address, "")
    assert response.context["step"] == "password"
    assert not LogInAttempt.objects.exists()


def test_the_other_organisations_password_does_not_open_it(client, recipient, stranger, try_log_in):
    stranger.set_password("a password of the south")
    stranger.save()
    assert try_log_in(client, recipient.address, "a password of the south").status_code == 200
    assert try_log_in(client, recipient.address, "a password of the south", url="/p/south/").status_code == 302
    assert PortalSession.objects.get().user == stranger


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"allow_logon": False}, "not_allowed"), ({"disabled_at": "2026-01-01T00:00Z"}, "disabled")],
)
def test_who_may_not_log_on_is_refused(client, recipient, try_log_in, reference_of, change, cause):
    User.objects.filter(pk=recipient.pk).update(**change)
    response = try_log_in(client, recipient.address, PASSWORD)
    assert REFUSED in response.content.decode()
    assert LogInAttempt.objects.get(reference=reference_of(response)).cause == cause


def test_spaces_and_accents_count_in_one_form(client, recipient, try_log_in):
    passwords.set_own_password(recipient, "  cafe\u0301 au lait for two ")
    assert try_log_in(client, recipient.address, "café au lait for two").status_code == 200
    assert try_log_in(client, recipient.address, "  café au lait for two ").status_code == 302


@pytest.mark.parametrize("password", ["x" * 1025, "\ud7ff" * 1024, "ü" * 100_000, "\n\t "])
def test_odd_passwords_are_just_wrong(client, recipient, try_log_in, password):
    assert REFUSED in try_log_in(client, recipient.address, password).content.decode()


def test_an_attempt_is_written_down(client, recipient, try_log_in):
    try_log_in(client, recipient.address, PASSWORD, headers={"user-agent": "Browser\x07 1.0 " + "x" * 400})
    attempt = LogInAttempt.objects.get()
    assert attempt.cause == "success"
    assert attempt.url == "http://testserver/p/north/"
    assert attempt.browser.startswith("Browser 1.0 ") and len(attempt.browser) == 300
    assert attempt.network == "127.0.0.1"


def test_success_and_failure_are_in_the_audit_log(client, recipient, try_log_in):
    try_log_in(client, recipient.address, "wrong")
    try_log_in(client, recipient.address, PASSWORD)
    failed, succeeded = AuditEvent.objects.order_by("id")
    assert (failed.action, failed.about, failed.details["cause"]) == ("log_in.failed", recipient.pk, "wrong")
    assert (succeeded.action, succeeded.actor_id) == ("log_in.succeeded", recipient.pk)
    assert "wrong password" not in str(failed.details) and PASSWORD not in str(succeeded.details)


def test_a_planted_session_key_is_not_taken_over(client, recipient, try_log_in):
    client.cookies["session"] = "a" * 32
    try_log_in(client, recipient.address, PASSWORD)
    assert client.cookies["session"].value != "a" * 32


def test_next_leads_on_within_the_portal_only(client, recipient, try_log_in):
    assert (
        try_log_in(client, recipient.address, PASSWORD, url="/p/north/?next=/sent/%3Fbefore%3D1").url
        == "/sent/?before=1"
    )


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_next_leads_nowhere_else(client, recipient, try_log_in, target):
    response = try_log_in(client, recipient.address, PASSWORD, url=f"/p/north/?next={quote(target)}")
    assert response.url == "/inbox/"


def test_the_form_is_protected_against_other_sites(recipient):
    client = Client(enforce_csrf_checks=True)
    assert client.post("/p/north/", {"address": recipient.address, "password": PASSWORD}).status_code == 403


def test_a_log_in_makes_the_browser_known(client, recipient, try_log_in):
    try_log_in(client, recipient.address, "wrong")
    assert "browser" not in client.cookies and not KnownBrowser.objects.exists()
    try_log_in(client, recipient.address, PASSWORD)
    assert client.cookies["browser"]["httponly"] and client.cookies["browser"]["samesite"] == "Lax"
    client.post("/log-out/")
    try_log_in(client, recipient.address, PASSWORD)
    assert KnownBrowser.objects.filter(user=recipient).count() == 1
