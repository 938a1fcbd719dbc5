"""Single keys, as webmail has them: static/js/shortcuts.js."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from messaging.models import MailboxEntry, Message

from . import steps
from .good import assert_good
from .test_folder import five, write  # noqa: F401 the inbox's five letters, a draft


@pytest.fixture(params=[1280, 900], ids=["beside", "page"])
def page(request, open_browser, recipient, five) -> Page:  # noqa: F811
    page = open_browser(recipient, viewport={"width": request.param, "height": 800})
    page.goto(reverse("inbox"))
    return page


def focused(page: Page) -> str:
    return re.sub(r"\s+", " ", page.evaluate("document.activeElement.textContent")).strip()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_up_and_down_the_list_and_open(page):
    press(page, "j")
    assert "Letter 4" in focused(page)
    press(page, "j", "j", "k")
    assert "Letter 3" in focused(page)
    press(page, "o")
    expect(page.get_by_role("heading", name="Letter 3")).to_be_visible()


def test_enter_opens(page):
    press(page, "j", "Enter")
    expect(page.get_by_role("heading", name="Letter 4")).to_be_visible()


def test_reply_and_forward_press_what_is_there(page):
    press(page, "j", "o")
    expect(page.get_by_role("heading", name="Letter 4")).to_be_visible()
    press(page, "f")  # an external reader may not: there is nothing to press
    press(page, "r")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    page.locator("[data-page]").click()
    page.keyboard.type("jkoraef#/?c")
    assert page.locator("[data-page]").text_content() == "jkoraef#/?c"


@pytest.mark.parametrize("key", ["e", "#"])
def test_delete_the_row_and_take_it_back(page, recipient, key):
    press(page, "j", key)
    page.get_by_role("button", name="Undo").wait_for()
    assert page.locator(".row").count() == 4
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".row")).to_have_count(5)


def test_delete_what_is_selected(page):
    press(page, "j", "x", "j", "x", "e")
    page.get_by_role("button", name="Undo").wait_for()
    assert page.locator(".row").count() == 3


def test_delete_the_message_that_is_open(page):
    press(page, "j", "j", "o")
    expect(page.get_by_role("heading", name="Letter 3")).to_be_visible()
    press(page, "e")
    page.get_by_role("button", name="Undo").wait_for()
    assert page.get_by_role("link", name="Letter 3").count() == 0


def test_nothing_is_removed_for_good_by_a_key(page, recipient):
    press(page, "j", "e")
    page.get_by_role("button", name="Undo").wait_for()
    page.goto(reverse("deleted"))
    press(page, "j", "e", "#")
    page.wait_for_timeout(300)
    assert MailboxEntry.objects.filter(owner=recipient, removed_at__isnull=True).count() == 5


def test_search(page):
    press(page, "/")
    if page.viewport_size["width"] > 1000:
        assert page.evaluate("document.activeElement.name") == "words"
        page.keyboard.type("jo/")
        assert page.locator("[data-search]").input_value() == "jo/"
    else:
        expect(page.get_by_role("heading", name="Search")).to_be_visible()


def test_help_lists_them_and_turns_them_off(page):
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert_good(page)
    page.get_by_label("Use single keys as shortcuts").uncheck()
    press(page, "Escape")
    expect(dialog).to_be_hidden()
    press(page, "j", "?")
    assert dialog.is_hidden()
    assert "Letter" not in focused(page)[:60]
    page.reload()
    press(page, "?")
    assert dialog.is_hidden()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single keys as shortcuts").check()
    page.get_by_role("button", name="Close").locator("visible=true").click()
    press(page, "j")
    assert "Letter 4" in focused(page)
    assert steps.what_the_browser_kept(page) == []


def test_keys_pressed_in_the_text_count_too(page):
    press(page, "j", "o")
    # Where it lies on the page: inside the frame, where no script runs, waiting for things to be still may not end.
    expect(page.frame_locator("iframe").locator("body")).not_to_be_empty()
    page.wait_for_load_state()
    page.locator("iframe").click()
    press(page, "r")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()


def test_with_control_they_are_the_browsers(page):
    press(page, "Control+j", "Alt+j")
    assert "Letter" not in focused(page)[:60]


def test_beside_the_list_the_next_one_opens(open_browser, recipient, five):  # noqa: F811
    page = open_browser(recipient, viewport={"width": 1280, "height": 800})
    page.goto(reverse("inbox"))
    press(page, "j", "o")
    expect(page.locator("[data-reading] #subject")).to_have_text("Letter 4")
    press(page, "j")
    expect(page.locator("[data-reading] #subject")).to_have_text("Letter 3")
    press(page, "Escape")
    expect(page.locator("[data-reading]")).to_be_hidden()
    assert "Letter 3" in focused(page)


@pytest.fixture
def beside(open_browser, recipient, five) -> Page:  # noqa: F811
    """The newest letter is open, the second has expired."""
    second = MailboxEntry.objects.filter(owner=recipient).order_by("-id")[1]
    Message.objects.filter(id=second.message_id).update(expires_at=timezone.now() - timedelta(hours=1))
    page = open_browser(recipient, viewport={"width": 1280, "height": 800})
    page.goto(reverse("inbox"))
    press(page, "j", "o")
    expect(page.locator("[data-reading] #subject")).to_have_text("Letter 4")
    return page


@pytest.mark.parametrize("key", ["e", "#"])
def test_what_cannot_open_is_deleted_itself(beside, key):
    press(beside, "j")
    assert "Can no longer be opened" in focused(beside)
    press(beside, key)
    beside.get_by_role("button", name="Undo").wait_for()
    assert beside.get_by_role("link", name="Letter 4").count() == 1
    assert beside.get_by_text("Can no longer be opened").count() == 0


def test_nor_is_another_answered_than_the_one_with_the_focus(beside):
    press(beside, "j", "r", "a", "f")
    beside.wait_for_timeout(300)
    assert beside.locator(".row").count() == 5
    press(beside, "k")
    expect(beside.locator("[data-reading] #subject")).to_have_text("Letter 4")
    beside.locator("[data-reading] #subject").focus()
    press(beside, "r")
    expect(beside.get_by_role("heading", name="Reply")).to_be_visible()


def test_while_the_next_one_is_on_its_way_keys_are_about_that(beside):
    beside.route("**/messages/**", lambda it: None if it.request.resource_type == "fetch" else it.continue_())
    press(beside, "j", "j", "r", "e")
    beside.get_by_role("button", name="Undo").wait_for()
    assert beside.get_by_role("link", name="Letter 2").count() == 0
    assert beside.get_by_role("link", name="Letter 4").count() == 1


@pytest.mark.parametrize("key", ["e", "#"])
def test_a_draft_is_discarded_after_a_question(open_browser, recipient, write, key):  # noqa: F811
    for number in range(3):
        write(recipient, subject=f"Draft {number}")
    page = open_browser(recipient, viewport={"width": 1280, "height": 800})
    page.goto(reverse("drafts"))
    press(page, "j", "j", key)
    expect(page.get_by_role("heading", name="Discard 1 draft?")).to_be_visible()
    assert page.get_by_text("Draft 1").is_visible()
    page.get_by_role("link", name="Keep").click()
    expect(page.locator(".row")).to_have_count(3)
    press(page, "j", "j", key)
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("1 draft discarded.").locator("visible=true")).to_be_visible()
    assert page.locator(".row").count() == 2
    assert page.get_by_role("link", name="Draft 1").count() == 0
