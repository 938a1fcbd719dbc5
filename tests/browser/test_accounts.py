"""Coming in, by the eyes of a browser: the reset, at telephone and desk, with and without script."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts import kept_texts, mail_requests
from accounts.models import Credential, PortalSession, User
from portal import delivery, moments
from portal.models import Organization

from ..conftest import PASSWORD
from . import steps
from .good import SCREENS, assert_good
from .test_set_password import GOOD


@pytest.fixture
def arrived(smtp):
    """arrived(): the text of the newest mail, once the workers have done what waits."""

    def deliver() -> str:
        mail_requests.answer_waiting()
        delivery.deliver_due()
        return smtp.messages[-1].get_body(("plain",)).get_content()

    return deliver


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_an_expired_password(open_browser, recipient, screen):
    User.objects.update(change_ordered_at=moments.now())
    page = open_browser(**screen)
    page.goto("/p/north/")
    page.fill("[name=address]", recipient.address)
    page.get_by_role("button", name="Next").click()
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log In").click()
    page.get_by_role("heading", name="Your password has expired").wait_for()
    assert_good(page)
    page.get_by_role("button", name="Reset Password").click()
    page.get_by_role("heading", name="A message was sent").wait_for()


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_a_reset(open_browser, organization, recipient, screen, complaints):
    Organization.objects.update(support_contact="Help desk, 020 7946 0000")
    page = open_browser(**screen)
    for path in [
        reverse("reset_password", args=["north"]),
        reverse("reset_sent", args=["north"]),
        reverse("reset_link", args=["north", "invented"]),
        reverse("send_link"),
        reverse("link_sent"),
        reverse("help_page", args=["north"]),
    ]:
        page.goto(path)
        assert_good(page)
    complaints[:] = [line for line in complaints if "410" not in line]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("by", ["link", "temporary password"])
def test_a_forgotten_password(open_browser, recipient, arrived, script, by):
    page = open_browser(java_script_enabled=script, viewport={"width": 360, "height": 740})
    page.goto("/p/north/")
    page.fill("[name=address]", recipient.address)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("link", name="Forgot your password?").click()
    page.fill("[name=address]", recipient.address)
    page.get_by_role("button", name="Reset Password").click()
    page.get_by_role("heading", name="A message was sent").wait_for()
    text = arrived()
    if by == "link":
        page.goto(re.search(r"http://127\.0\.0\.1:8000(/p/north/reset/\S+)", text)[1])
        assert page.url.endswith("/p/north/password/")
    else:
        page.get_by_role("link", name="Go To Log In").click()
        page.fill("[name=address]", recipient.address)
        page.get_by_role("button", name="Next").click()
        page.fill("[name=password]", re.search(r"^    (\S+)\r?$", text, re.M)[1].lower())
        page.get_by_role("button", name="Log In").click()
    page.fill("[name=new_password]", GOOD)
    page.fill("[name=confirm_password]", GOOD)
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/inbox/")
    assert Credential.objects.get().used_at is not None


def test_send_me_my_link(open_browser, recipient, arrived):
    page = open_browser()
    page.goto("/")
    page.get_by_role("link", name="Send me my link").click()
    page.fill("[name=address]", recipient.address)
    page.get_by_role("button", name="Send me my link").click()
    page.get_by_role("heading", name="A message was sent").wait_for()
    assert "http://127.0.0.1:8000/p/north/" in arrived()


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_an_account(open_browser, recipient, log_in, screen):
    log_in(recipient)
    page = open_browser(recipient, **screen)
    text = {"path": "/drafts/x/", "fields": {"subject": "Results", "body": "Dear Patient"}}
    kept = kept_texts.store(recipient, text)
    for path in [reverse("account"), reverse("change_password"), reverse("confirm"), reverse("kept_text", args=[kept])]:
        page.goto(path)
        assert_good(page)


def test_that_it_has_ended_can_be_put_aside_while_writing(open_browser, sender, complaints):
    Organization.objects.update(idle_minutes=10)
    page = open_browser(sender)
    page.clock.install()
    page.goto(reverse("compose"))
    PortalSession.objects.all().delete()
    page.clock.fast_forward(11 * 60_000)
    page.get_by_text("You have been logged out").wait_for()
    assert_good(page)
    page.get_by_role("alert").get_by_role("button", name="Close").click()
    page.get_by_text("You have been logged out").wait_for(state="hidden")
    complaints.clear()


def test_an_account_fits_the_narrowest_screen(open_browser, recipient):
    """320 CSS pixels: WCAG 2.2, 1.4.10."""
    page = open_browser(recipient, viewport={"width": 320, "height": 600})
    page.goto(reverse("account"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_staying_after_logging_in_anew_in_another_window(open_browser, recipient, log_in, live_server, complaints):
    Organization.objects.update(idle_minutes=10)
    page = open_browser(recipient)
    page.clock.install()
    page.goto(reverse("inbox"))
    PortalSession.objects.update(last_seen_at=moments.now() - timedelta(minutes=8, seconds=30))
    page.clock.fast_forward(8 * 60_000 + 30_000)
    page.get_by_role("button", name="Stay logged in").wait_for()
    client = log_in(recipient)
    page.context.clear_cookies()
    session = client.cookies["session"].value
    page.context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
    page.get_by_role("button", name="Stay logged in").click()
    page.get_by_role("button", name="Stay logged in").wait_for(state="hidden")
    complaints.clear()


@pytest.mark.parametrize("screen", SCREENS)
def test_two_minutes_before_the_end(open_browser, recipient, screen):
    Organization.objects.update(idle_minutes=10)
    page = open_browser(recipient, **screen)
    page.clock.install()
    page.goto(reverse("inbox"))
    assert page.get_by_role("alert").count() == 0
    PortalSession.objects.update(last_seen_at=moments.now() - timedelta(minutes=8, seconds=30))
    page.clock.fast_forward(8 * 60_000 + 30_000)
    page.get_by_role("button", name="Stay logged in").wait_for()
    assert_good(page)
    page.get_by_role("button", name="Stay logged in").click()
    page.get_by_role("button", name="Stay logged in").wait_for(state="hidden")
    assert PortalSession.objects.get().last_seen_at > moments.now() - timedelta(seconds=30)
    PortalSession.objects.update(last_seen_at=moments.now() - timedelta(minutes=11))
    page.clock.fast_forward(11 * 60_000)
    page.wait_for_url("**/p/north/?next=**")


def test_what_was_being_written_is_there_after_logging_in_again(open_browser, sender, complaints):
    page = open_browser(sender, java_script_enabled=False)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Results of Monday")
    page.fill("[name=body]", "Dear Patient, all is well.")
    PortalSession.objects.update(last_seen_at=moments.now() - timedelta(minutes=61))
    page.get_by_role("button", name="Save Draft").first.click()
    page.get_by_text("What you wrote is kept, and nothing was sent.").wait_for()
    page.get_by_role("link", name="Log in again").click()
    page.fill("[name=address]", sender.address)
    page.get_by_role("button", name="Next").click()
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log In").click()
    page.wait_for_url("**/drafts/*/")
    page.get_by_text("You were logged out while writing.").wait_for()
    assert page.locator("[name=subject]").input_value() == "Results of Monday"
    assert page.locator("[name=body]").input_value() == "Dear Patient, all is well."
    complaints.clear()


@pytest.mark.parametrize("screen", [SCREENS[0], SCREENS[-1]])
@pytest.mark.parametrize("script", [True, False])
def test_after_logging_out_the_way_back_shows_nothing(open_browser, recipient, screen, script):
    page = open_browser(java_script_enabled=script, **screen)
    page.goto("/p/north/")
    steps.log_in(page, recipient.address, PASSWORD)
    page.wait_for_url("**/inbox/")
    page.goto(reverse("account"))
    page.get_by_role("button", name="Log Out", exact=True).click()
    page.get_by_label("Email Address").wait_for()
    for _step in range(2):
        page.go_back()
        page.get_by_label("Email Address").wait_for()
        assert recipient.address not in page.content()
    assert not PortalSession.objects.filter(user=recipient).exists()
