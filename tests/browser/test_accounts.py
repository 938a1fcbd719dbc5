"""Coming in, by the eyes of a browser: the reset, at telephone and desk, with and without script."""

import re

import pytest
from django.urls import reverse

from accounts import mail_requests
from accounts.models import Credential, User
from portal import moments, outbox
from portal.models import Organization

from ..conftest import PASSWORD
from .test_pages import SCREENS, assert_good
from .test_set_password import GOOD


@pytest.fixture
def arrived(smtp):
    """arrived(): the text of the newest mail, once the workers have done what waits."""

    def deliver() -> str:
        mail_requests.answer_waiting()
        outbox.deliver_due()
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
