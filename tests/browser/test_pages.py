"""Every page by the eyes of a browser: nothing wider than a telephone, light and dark, no barrier that axe knows."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from messaging import drafts, sending
from messaging.bodies import sanitize
from messaging.drafts import DraftText
from messaging.models import MailboxEntry, Message
from portal.ids import uuid7

LETTER = "<p>Dear Patient,</p><p>all is well.</p><table border='1'><tr><td bgcolor='#ffff00'>Date</td></tr></table>"


@pytest.fixture
def draft(sender, recipient, second_recipient) -> MailboxEntry:
    text = DraftText(to=recipient.address, cc=second_recipient.address, subject="Your results", body=sanitize(LETTER))
    return drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry


@pytest.fixture
def message(sender, draft) -> Message:
    return sending.send_draft(actor=sender, entry=draft).message


@pytest.fixture
def copy_of(message) -> Callable[[User], MailboxEntry]:
    return lambda owner: MailboxEntry.objects.get(owner=owner, message=message)


SCREENS = [
    pytest.param(
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "light", "has_touch": True}, id="telephone"
    ),
    pytest.param({"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "has_touch": True}, id="night"),
    pytest.param({"viewport": {"width": 768, "height": 1024}, "color_scheme": "light"}, id="tablet"),
    pytest.param({"viewport": {"width": 1600, "height": 900}, "color_scheme": "dark"}, id="desk"),
]


OF_WHOLE_PAGES = ("landmark-one-main", "page-has-heading-one", "region")


def assert_good(page: Page, *, is_whole_page: bool = True) -> None:
    """What holds for every page; one that stands in a frame has no heading of its own."""
    rules = {} if is_whole_page else {rule: {"enabled": False} for rule in OF_WHOLE_PAGES}
    found = Axe().run(page, options={"resultTypes": ["violations"], "rules": rules}).response["violations"]
    assert [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("h1").count() == (1 if is_whole_page else 0)
    assert page.title()
    small = page.evaluate(
        """[...document.querySelectorAll("a, button, input, select, summary, textarea")]
            .filter((it) => it.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
            .filter((it) => !it.closest("p, .unheard, .skip") && !it.matches(".skip"))
            .map((it) => (it.type === "checkbox" ? it.closest("label") ?? it : it))
            .map((it) => [it.outerHTML.slice(0, 120), it.getBoundingClientRect()])
            .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([html]) => html)"""
    )
    assert small == []


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_a_visitor(open_browser, organization, screen, complaints):
    page = open_browser(**screen)
    page.goto("/")
    assert_good(page)
    page.goto("/p/north/")
    assert_good(page)
    page.fill("[name=address]", "somebody@outside.example")
    page.click("text=Next")
    assert_good(page)
    page.fill("[name=password]", "wrong")
    page.click("button:has-text('Log In')")
    assert page.get_by_text("Invalid username, password or permissions").is_visible()
    assert_good(page)
    page.goto("/nothing/")
    assert_good(page)
    # Chromium reports a page of 404 as an error, too.
    complaints[:] = [line for line in complaints if "404" not in line]


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_a_reader(open_browser, recipient, copy_of, screen):
    page = open_browser(recipient, **screen)
    entry = copy_of(recipient)
    for path in [
        reverse("inbox"),
        reverse("message", args=[entry.id]),
        reverse("reply_all", args=[entry.id]),
        reverse("deleted"),
        reverse("home"),
    ]:
        page.goto(path)
        assert_good(page)


@pytest.mark.parametrize("screen", SCREENS)
def test_pages_of_an_author(open_browser, sender, copy_of, screen):
    page = open_browser(sender, **screen)
    entry = copy_of(sender)
    for path in [
        reverse("sent"),
        reverse("message", args=[entry.id]),
        reverse("recall", args=[entry.id]),
        reverse("extend", args=[entry.id]),
        reverse("compose"),
        reverse("drafts"),
    ]:
        page.goto(path)
        assert_good(page)


@pytest.mark.parametrize("screen", SCREENS)
def test_a_draft_and_what_is_wrong_with_it(open_browser, sender, draft, screen, complaints):
    page = open_browser(sender, **screen)
    page.goto(reverse("draft", args=[draft.message_id]))
    assert_good(page)
    page.fill("[name=to]", "nobody@")
    page.click("text=Send Securely")
    assert page.get_by_text("Not sent yet.").is_visible()
    assert_good(page)
    complaints[:] = [line for line in complaints if "422" not in line]


@pytest.mark.parametrize("screen", SCREENS)
def test_a_message_that_was_recalled(open_browser, sender, recipient, message, copy_of, screen, complaints):
    from messaging.recall import recall_message

    recall_message(actor=sender, message=message)
    page = open_browser(recipient, **screen)
    page.goto(reverse("message", args=[copy_of(recipient).id]))
    assert page.get_by_text("This message was recalled").is_visible()
    assert_good(page)
    complaints[:] = [line for line in complaints if "410" not in line]


@pytest.mark.parametrize("screen", SCREENS)
def test_somebody_elses_link(open_browser, recipient, second_recipient, stranger, copy_of, screen, complaints):
    link = reverse("log_in_to_message", args=["north", copy_of(second_recipient).id])
    for visitor, words in [
        (recipient, "This link belongs to somebody else"),
        (stranger, "logged in to another portal"),
    ]:
        page = open_browser(visitor, **screen)
        page.goto(link)
        assert page.get_by_text(words).is_visible()
        assert_good(page)
    complaints[:] = [line for line in complaints if "404" not in line]


def test_the_keyboard_skips_to_the_content(open_browser, recipient):
    page = open_browser(recipient)
    page.goto(reverse("inbox"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
