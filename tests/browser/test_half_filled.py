"""A date of which only a part is filled in: static/js/half_filled.js."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging.models import Message


@pytest.fixture
def page(open_browser, sender, colleague) -> Page:
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=to]", colleague.address)
    page.fill("[name=subject]", "Until when?")
    fill_half(page, "expires_at")
    return page


def fill_half(page: Page, name: str) -> None:
    page.locator(f"[name={name}]").press("1")
    assert page.locator(f"[name={name}]").evaluate("(it) => it.validity.badInput")


def test_nothing_is_sent_before_it_is_whole(page):
    page.get_by_role("button", name="Send Securely").click()
    expect(page.locator("[name=expires_at]")).to_be_focused()
    page.wait_for_timeout(500)
    assert not Message.objects.filter(sent_at__isnull=False).exists()

    page.locator("[name=expires_at]").evaluate("(it) => (it.value = '')")
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("heading", name="Sent Items").wait_for()


def test_nor_is_it_held_back_to_be_sent_with_its_files(page, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    page.route("**/drafts/**", lambda route: None, times=1)
    page.set_input_files("[name=files]", tmp_path / "a.txt")
    page.get_by_role("button", name="Send Securely").click()

    expect(page.locator("[name=expires_at]")).to_be_focused()
    expect(page.locator("[data-holding]")).to_be_hidden()
    page.on("dialog", lambda dialog: dialog.accept())


@pytest.mark.parametrize("how", ["click", "Enter"])
def test_nor_is_it_saved_as_none(page, how):
    if how == "Enter":
        page.locator("[name=subject]").press("Enter")
    else:
        page.get_by_role("button", name="Save Draft").locator("visible=true").click()

    expect(page.locator("[name=expires_at]")).to_be_focused()
    page.wait_for_timeout(500)
    assert page.locator("[name=expires_at]").evaluate("(it) => it.validity.badInput")


def test_the_draft_can_be_discarded(page):
    page.get_by_text("Draft saved").wait_for()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("heading", name="Discard 1 draft?").wait_for()


@pytest.mark.parametrize("name", ["since", "until"])
def test_nothing_is_searched_for_either(open_browser, sender, name):
    page = open_browser(sender)
    page.goto(reverse("search"))
    page.fill("[name=words]", "results")
    fill_half(page, name)
    page.locator("#main").get_by_role("button", name="Search").click()

    expect(page.locator(f"[name={name}]")).to_be_focused()
    page.wait_for_timeout(300)
    assert page.url.endswith(reverse("search"))
    expect(page.locator("#found")).to_have_count(0)
