"""Apps and passkeys in a real browser; Chromium's virtual authenticator plays the key."""

import pytest
from django.urls import reverse

from accounts import second_factor
from accounts.models import Passkey, TotpDevice

from ..accounts.test_second_factor import code_of, first_code
from ..conftest import PASSWORD
from .good import SCREENS, assert_good


@pytest.fixture
def enter(open_browser, live_server, settings):
    """enter(person, **context): a window in which the person has given address and password."""
    settings.BASE_URL = live_server.url.replace("127.0.0.1", "localhost")

    def log_in(person, **options):
        page = open_browser(**options)
        page.goto(f"{settings.BASE_URL}/p/north/")
        _give_password(page, person)
        return page

    return log_in


def _give_password(page, person) -> None:
    page.fill("[name=address]", person.address)
    page.get_by_role("button", name="Next").click()
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log In").click()


@pytest.mark.parametrize("screen", SCREENS)
def test_pages(enter, recipient, screen):
    page = enter(recipient, **screen)
    base = page.url.partition("/inbox/")[0]
    for name in ("second_factors", "add_app", "add_passkey"):
        page.goto(base + reverse(name))
        assert_good(page)
    page.goto(base + reverse("add_app"))
    page.fill("[name=code]", first_code(page.content())["code"])
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert_good(page)
    page.get_by_role("link", name="I have kept them").click()
    page.get_by_role("heading", name="Second factor").wait_for()
    assert_good(page)
    page.goto(base + reverse("confirm"))
    assert_good(page)
    page.goto(base + reverse("inbox"))
    page.get_by_role("button", name="Log Out").click()
    page.goto(base + "/p/north/")
    _give_password(page, recipient)
    page.get_by_role("heading", name="One thing more").wait_for()
    assert_good(page)


@pytest.mark.parametrize("script", [True, False])
def test_an_app_from_the_first_to_the_next_log_in(enter, recipient, script):
    page = enter(recipient, java_script_enabled=script)
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Second factor").click()
    page.get_by_role("link", name="Add an app").click()
    page.get_by_role("heading", name="Add an app").wait_for()
    page.fill("[name=code]", first_code(page.content())["code"])
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    codes = page.locator(".codes .reference").all_text_contents()
    assert len(codes) == 10
    TotpDevice.objects.update(last_step=-1)
    page.goto(page.url.partition("/account/")[0] + "/inbox/")
    page.get_by_role("button", name="Log Out").click()
    page.goto(page.url.partition("/p/")[0] + "/p/north/")
    _give_password(page, recipient)
    page.fill("[name=code]", code_of(recipient))
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/inbox/")


def test_a_passkey_is_made_and_lets_in(enter, recipient, complaints):
    page = enter(recipient)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    authenticator = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    devtools.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": authenticator, "enabled": True})
    base = page.url.partition("/inbox/")[0]
    page.goto(base + reverse("add_passkey"))
    page.fill("[name=name]", "My telephone")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    passkey = Passkey.objects.get()
    assert passkey.name == "My telephone" and second_factor.is_enrolled(recipient)

    page.goto(base + "/inbox/")
    page.get_by_role("button", name="Log Out").click()
    page.goto(base + "/p/north/")
    _give_password(page, recipient)
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/inbox/")
    passkey.refresh_from_db()
    assert passkey.last_used_at is not None and passkey.sign_count > 0

    # A copied key shows by a counter that goes back.
    Passkey.objects.update(sign_count=1_000_000)
    page.get_by_role("button", name="Log Out").click()
    page.goto(base + "/p/north/")
    _give_password(page, recipient)
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_text("That code is not right").wait_for()
