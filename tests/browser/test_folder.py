"""Choosing many messages at once: static/js/folder.js."""

import pytest
from django.urls import reverse

from messaging import drafts, sending
from messaging.drafts import DraftText
from messaging.models import MailboxEntry
from portal.ids import uuid7


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
