"""The message beside its list: static/js/pane.js."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging.models import MailboxEntry

from .good import assert_good
from .test_folder import five  # noqa: F401 the inbox's five letters

DESK = {"viewport": {"width": 1280, "height": 800}}


@pytest.fixture
def page(open_browser, recipient, five) -> Page:  # noqa: F811
    page = open_browser(recipient, **DESK)
    page.goto(reverse("inbox"))
    return page


def open_letter(page: Page, number: int) -> None:
    page.get_by_role("link", name=f"Letter {number}").click()
    expect(page.locator("[data-reading] #subject")).to_have_text(f"Letter {number}")


def is_open(page: Page) -> bool:
    return page.locator("[data-reading]").is_visible()


def test_a_row_opens_beside_the_list_and_counts_as_read(page, recipient):
    open_letter(page, 3)

    entry = MailboxEntry.objects.get(owner=recipient, read_at__isnull=False)
    assert page.url.endswith(reverse("message", args=[entry.id]))
    assert page.locator(".row").count() == 5
    assert page.locator(".row--unread").count() == 4
    assert page.evaluate("document.activeElement.id") == "subject"
    expect(page.locator(".folders [aria-current]")).to_have_text(re.compile(r"Inbox\s*4 unread"))
    expect(page.locator("[data-say]")).to_have_text("Inbox 4 unread")
    assert page.frame_locator("iframe").locator("body").inner_text().strip() == "x"
    assert page.title().startswith("Message from Demo Sender")
    assert entry.message.recipients.get().read_at is not None
    assert_good(page)


def test_the_browsers_buttons_lead_where_they_should(page):
    inbox, title = page.url, page.title()
    open_letter(page, 4)
    first = page.url
    open_letter(page, 2)
    second = page.url
    assert first != second
    page.go_back()
    expect(page.locator("[data-reading]")).to_be_hidden()
    assert (page.url, page.title()) == (inbox, title)
    assert "Letter 2" in page.evaluate("document.activeElement.textContent")
    page.go_forward()
    expect(page.locator("[data-reading] #subject")).to_have_text("Letter 2")
    assert page.url == second


def test_gone_back_before_it_came_it_stays_away(page, recipient):
    inbox = page.url
    open_letter(page, 3)
    page.go_back()
    held = []
    page.route("**/messages/**", lambda r: held.append(r) if r.request.resource_type == "fetch" else r.continue_())
    page.evaluate("history.forward()")
    page.wait_for_timeout(500)
    page.evaluate("history.back()")
    page.wait_for_timeout(500)
    held[0].continue_()
    page.wait_for_timeout(800)

    assert page.url == inbox
    assert not page.locator("[data-reading]").is_visible()


def test_reloading_shows_its_page_and_back_leads_to_the_list(page):
    open_letter(page, 4)
    page.reload()
    assert page.locator(".row").count() == 0
    assert page.get_by_role("heading", name="Letter 4", level=1).is_visible()
    page.go_back()

    expect(page.locator(".row")).to_have_count(5)
    assert page.url.endswith(reverse("inbox"))


def test_from_an_answer_back_to_the_message_and_the_list(page):
    open_letter(page, 4)
    page.get_by_role("link", name="Reply", exact=True).click()
    page.get_by_role("heading", name="Reply").wait_for()
    page.go_back()
    expect(page.get_by_role("heading", name="Letter 4")).to_be_visible()
    page.go_back()

    expect(page.locator(".row")).to_have_count(5)


def test_back_on_the_row_of_what_is_shown_nothing_is_fetched_again(page):
    open_letter(page, 3)
    asked = []
    page.route("**/messages/**", lambda it: asked.append(it))
    page.get_by_role("link", name="Letter 2").click()
    expect(page.locator("[data-content]")).to_have_attribute("aria-busy", "true")
    page.get_by_role("link", name="Letter 3").click()

    expect(page.locator("[data-content]")).not_to_have_attribute("aria-busy", "true")
    assert [one.request.resource_type for one in asked] == ["fetch"]
    assert page.evaluate("document.activeElement.id") == "subject"
    assert "Letter 3" in page.locator(".row:has([aria-current])").inner_text()
    page.unroute("**/messages/**")
    page.keyboard.press("r")
    expect(page.get_by_role("heading", name="Reply")).to_be_visible()


@pytest.mark.parametrize("how", ["Escape", "Close"])
def test_closing_gives_the_focus_back(page, how):
    open_letter(page, 1)
    page.keyboard.press("Escape") if how == "Escape" else page.get_by_role("button", name="Close").click()

    expect(page.locator("[data-reading]")).to_be_hidden()
    assert "Letter 1" in page.evaluate("document.activeElement.textContent")
    assert page.url.endswith(reverse("inbox"))


@pytest.mark.parametrize("field", ["input", "textarea", "div contenteditable"])
def test_escape_in_a_field_closes_nothing(page, field):
    open_letter(page, 1)
    page.evaluate("field => document.querySelector('main').insertAdjacentHTML('beforeend', `<${field}>`)", field)
    page.locator(f"main > {field.split()[0]}").last.focus()
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert is_open(page)
    page.locator("[data-search]").fill("result")
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    assert is_open(page)


def test_deleting_leads_to_the_list_with_undo(page):
    open_letter(page, 1)
    page.locator("[data-reading]").get_by_role("button", name="Delete").click()

    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert page.locator(".row").count() == 4
    assert page.url.endswith(reverse("inbox"))


def test_what_is_gone_is_said_on_its_own_page(page, sender, recipient, complaints):
    from messaging.recall import recall_message

    entry = MailboxEntry.objects.filter(owner=recipient).order_by("-id").first()
    recall_message(actor=sender, message=entry.message)
    page.locator("a[data-opens]").first.click()

    expect(page.get_by_role("heading", name="This message was recalled", level=1)).to_be_visible()
    complaints.clear()


def test_another_window_is_the_readers_choice(page):
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Letter 4").click(modifiers=["Control"])
    assert opened.value.wait_for_selector("h1:has-text('Letter 4')")
    assert not is_open(page)


def test_a_window_made_narrow_shows_the_page(page):
    open_letter(page, 4)
    page.set_viewport_size({"width": 900, "height": 800})

    expect(page.get_by_role("heading", name="Letter 4", level=1)).to_be_visible()
    assert page.locator(".row").count() == 0


@pytest.mark.parametrize(
    "options", [{"viewport": {"width": 1000, "height": 800}}, DESK | {"java_script_enabled": False}]
)
def test_without_room_or_script_it_is_a_page(open_browser, recipient, five, options):  # noqa: F811
    page = open_browser(recipient, **options)
    page.goto(reverse("inbox"))
    page.get_by_role("link", name="Letter 4").click()

    expect(page.get_by_role("heading", name="Letter 4", level=1)).to_be_visible()
    assert page.locator(".row").count() == 0


def test_what_a_search_found_opens_beside_it_too(page, recipient):
    page.fill("[data-search]", "letter")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="5 messages found").wait_for()
    found = page.url
    open_letter(page, 2)
    assert page.locator(".hit").count() == 5
    assert page.locator(".row--unread").count() == 4
    expect(page.locator(".folders [aria-current]")).to_have_text("Search")
    expect(page.locator(".folders")).to_contain_text(re.compile(r"Inbox\s*4"))
    assert_good(page)
    page.locator("[data-reading]").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("1 message moved to Deleted Items.")).to_be_visible()
    assert page.url == found
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 message restored.")).to_be_visible()
    assert page.url == found
    page.get_by_role("link", name="Letter 4").click()
    page.locator("[data-reading] #subject").wait_for()
    page.keyboard.press("Escape")
    expect(page.locator("[data-reading]")).to_be_hidden()
    assert page.url == found


def test_the_skip_link_leaves_everything_where_it_is(page):
    open_letter(page, 3)
    page.evaluate("document.querySelector('.skip').click()")
    page.wait_for_timeout(500)

    assert is_open(page)
    assert page.locator(".row").count() == 5


def test_printed_it_is_the_message_alone_and_whole(page):
    open_letter(page, 3)
    page.emulate_media(media="print")

    assert not page.locator(".row").first.is_visible()
    assert not page.get_by_role("heading", name="Inbox").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.room__message')).maxBlockSize") == "none"


def test_printing_leaves_everything_where_it_is(page):
    open_letter(page, 3)
    page.pdf(format="A4")
    page.wait_for_timeout(300)

    assert is_open(page)
    assert page.locator(".row").count() == 5
