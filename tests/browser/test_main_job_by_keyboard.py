"""Log in, read, reply and send without a pointer: every step with Tab, Enter and letters, and the focus always seen."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging import drafts, sending
from messaging.bodies import sanitize
from messaging.drafts import DraftText
from messaging.models import MailboxEntry
from portal.ids import uuid7
from tests.conftest import PASSWORD

from . import steps

FOCUSED = """() => {
    const it = document.activeElement;
    if (it === document.body) return { name: "", seen: true };
    const style = getComputedStyle(it);
    const named = document.getElementById(it.getAttribute("aria-labelledby"))?.innerText;
    const heard = named ?? it.getAttribute("aria-label") ?? it.labels?.[0]?.innerText ?? it.innerText;
    const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return { name: heard.trim().replace(/\\s+/g, " "), seen };
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what begins with that name has the focus; whatever has it on the way must show it."""
    page.wait_for_load_state()
    passed = []
    for _ in range(60):
        focused = page.evaluate(FOCUSED)
        assert focused["seen"], focused
        if focused["name"].startswith(name):
            return
        passed.append(focused["name"])
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab: {passed}")


@pytest.fixture
def message(sender, recipient) -> MailboxEntry:
    text = DraftText(to=recipient.address, subject="Your results", body=sanitize("<p>All is well.</p>"))
    entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
    return sending.send_draft(actor=sender, entry=entry)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_log_in_read_reply_and_log_out(open_browser, message, sender, recipient, script):
    page = open_browser(java_script_enabled=script)
    page.goto(reverse("log_in", args=["north"]))
    tab_to(page, "Email Address")
    page.keyboard.type(recipient.address)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    tab_to(page, "Password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    tab_to(page, "Unread: Demo Sender")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your results")).to_be_visible()
    tab_to(page, "Reply")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()
    tab_to(page, "Message")
    page.keyboard.type("Thank you.")
    tab_to(page, "Send Securely")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sent Items")).to_be_visible()
    tab_to(page, "Log Out")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Email Address")).to_be_visible()

    page = open_browser(sender)
    page.goto(reverse("inbox"))
    page.get_by_role("link", name="Your results").click()
    assert "Thank you." in steps.text_of_message(page)


def test_the_first_key_skips_to_the_content(open_browser, recipient):
    page = open_browser(recipient)
    page.goto(reverse("inbox"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
