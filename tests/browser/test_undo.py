"""The offer to undo a sending goes when its time is over: static/js/undo.js."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging.models import MailboxEntry

from . import steps
from .good import assert_good


@pytest.fixture
def page(open_browser, organization, sender, recipient) -> Page:
    organization.undo_seconds = 60
    organization.save()
    page = open_browser(sender)
    page.goto(reverse("compose"))
    steps.write(page, to=recipient.address, subject="Hello", body="x")
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("button", name="Undo").wait_for()
    return page


def leave(seconds: float) -> None:
    MailboxEntry.objects.filter(kind="received").update(visible_at=timezone.now() + timedelta(seconds=seconds))


def test_another_window_shows_what_is_left_and_so_does_this_one_again(page):
    leave(30)
    other = page.context.new_page()
    other.goto(reverse("inbox"))
    expect(other.get_by_text("You can undo this for 2")).to_be_visible()
    assert_good(other)
    page.reload()
    expect(page.get_by_text("You can undo this for 2")).to_be_visible()


def test_it_goes_when_the_time_is_over(page):
    leave(2.5)
    page.reload()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    before = page.locator(".rows").bounding_box()
    page.get_by_role("button", name="Undo").focus()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    expect(page.locator("[data-say]")).to_have_text("The time to undo is over.")
    expect(page.locator(".notice--undo")).to_contain_text("The time to undo is over.")
    expect(page.locator("main")).to_be_focused()
    assert page.locator(".rows").bounding_box() == before
    assert_good(page)
    page.goto(reverse("search"))
    assert page.get_by_role("button", name="Undo").count() == 0


def test_it_is_counted_from_the_answer_not_from_when_the_page_is_there(page):
    page.route("**/undo.js", lambda it: (page.wait_for_timeout(1500), it.continue_()))
    leave(30)
    page.reload()
    seconds = int(page.locator("[data-left]").inner_text().split()[-2])
    assert seconds <= 29


def test_once_used_it_is_gone(page):
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("heading", name="Draft")).to_be_visible()
    page.goto(reverse("sent"))
    assert page.get_by_role("button", name="Undo").count() == 0
