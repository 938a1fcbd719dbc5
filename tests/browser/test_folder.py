"""Choosing many messages at once: static/js/folder.js."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from messaging import drafts, sending
from messaging.drafts import DraftText
from messaging.models import MailboxEntry
from portal.ids import uuid7

from ..messaging.conftest import write  # noqa: F401 a draft
from .good import SCREENS, assert_good


@pytest.fixture
def five(sender, recipient) -> None:
    for number in range(5):
        text = DraftText(to=recipient.address, subject=f"Letter {number}", body="<p>x</p>")
        entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
        sending.send_draft(actor=sender, entry=entry)


@pytest.fixture
def page(open_browser, recipient, five):
    page = open_browser(recipient)
    page.goto(reverse("inbox"))
    return page


def selected(page) -> int:
    return page.locator("[name=entry]:checked").count()


def test_all_and_none(page):
    page.get_by_label("Select all").check()
    assert selected(page) == 5
    assert page.get_by_text("5 selected").is_visible()
    page.keyboard.press("Escape")
    assert selected(page) == 0


def test_a_range_with_shift(page):
    boxes = page.locator("[name=entry]")
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])

    assert selected(page) == 3
    assert page.get_by_label("Select all").evaluate("it => it.indeterminate")


def test_delete_and_undo(page, recipient):
    page.locator("[name=entry]").nth(0).check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").wait_for(state="detached")

    assert MailboxEntry.objects.filter(owner=recipient, folder=MailboxEntry.Folder.INBOX).count() == 5


def test_without_script_the_boxes_and_buttons_work(open_browser, recipient, five):
    page = open_browser(recipient, java_script_enabled=False)
    page.goto(reverse("inbox"))
    assert page.get_by_label("Select all").is_hidden()
    page.locator("[name=entry]").nth(0).check()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Undo").wait_for()

    assert page.locator(".row").count() == 4


def test_closing_the_list_of_shortcuts_selects_nothing_else(page):
    page.locator("[name=entry]").first.check()
    page.keyboard.press("?")
    page.get_by_role("heading", name="Keyboard shortcuts").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Keyboard shortcuts").wait_for(state="hidden")

    assert page.locator("[name=entry]").first.is_checked()


def test_escape_in_the_search_field_selects_nothing_else(page):
    page.locator("[name=entry]").first.check()
    page.locator("[data-search]").fill("result")
    page.keyboard.press("Escape")
    assert selected(page) == 1


@pytest.mark.parametrize("options", SCREENS)
def test_all_folders_are_in_sight(open_browser, recipient, five, options):
    page = open_browser(recipient, **options)
    page.goto(reverse("deleted"))
    for link in page.locator(".folders a").all():
        box = link.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= options["viewport"]["width"]
    assert_good(page)


@pytest.mark.parametrize("options", SCREENS)
def test_drafts_are_discarded_without_script(open_browser, sender, write, options):  # noqa: F811
    for number in range(3):
        write(sender, subject=f"Draft {number}")
    page = open_browser(sender, java_script_enabled=False, **options)
    page.goto(reverse("drafts"))
    for box in page.locator("[name=entry]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Discard 2 drafts?")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("2 drafts discarded.")).to_be_visible()
    assert page.locator(".row").count() == 1


@pytest.mark.parametrize("options", SCREENS)
def test_the_question_is_good(open_browser, sender, write, options):  # noqa: F811
    write(sender, to="somebody@outside.example", subject="Your results " + "x" * 200)
    write(sender, subject="مرحبا!")
    page = open_browser(sender, **options)
    page.goto(reverse("drafts"))
    page.get_by_label("Select all").check()
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", name="Discard 2 drafts?")).to_be_visible()
    assert_good(page)


def test_subjects_have_the_direction_of_their_words(open_browser, sender, write):  # noqa: F811
    write(sender, subject="مرحبا!")
    write(sender, subject="Hello!")
    page = open_browser(sender)
    page.goto(reverse("drafts"))
    subjects = page.locator(".row__subject")
    assert subjects.evaluate_all("all => all.map((it) => getComputedStyle(it).direction)") == ["ltr", "rtl"]
    # They begin where the others do.
    start = "it => { const words = new Range(); words.selectNodeContents(it); return words.getBoundingClientRect().x }"
    assert subjects.nth(0).evaluate(start) == subjects.nth(1).evaluate(start)
