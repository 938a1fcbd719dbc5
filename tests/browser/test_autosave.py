"""What is being written is kept by itself: static/js/autosave.js."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from accounts.models import PortalSession
from messaging import drafts, sending
from messaging.drafts import DraftText
from messaging.models import MailboxEntry, Message
from portal.ids import uuid7

SAVED = re.compile(r"Draft saved \d\d:\d\d")
SLOWLY = 15_000  # milliseconds; saving waits three seconds after a change


@pytest.fixture
def page(open_browser, sender) -> Page:
    page = open_browser(sender)
    page.goto(reverse("compose"))
    return page


@pytest.fixture
def draft(sender, recipient) -> MailboxEntry:
    text = DraftText(to=recipient.address, subject="Begun", body="<p>Begun.</p>")
    return drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry


def written(user) -> list[DraftText]:
    entries = MailboxEntry.objects.filter(owner=user, kind=MailboxEntry.Kind.DRAFT).select_related("message")
    return [drafts.open_draft(entry) for entry in entries.order_by("id")]


def write(page: Page, text: str) -> None:
    page.locator("[data-page]").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(text)


def told(page: Page):
    return page.locator("[data-saved]")


def test_nothing_is_asked_before_the_first_change(page, sender):
    asked = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    page.wait_for_timeout(4000)

    assert asked == []
    assert written(sender) == []


def test_it_is_saved_while_writing_and_the_address_becomes_the_drafts(page, sender):
    page.fill("[name=subject]", "Half a letter")
    write(page, "Dear pat")
    expect(told(page)).to_have_text(SAVED, timeout=SLOWLY)
    assert page.get_by_role("button", name="Discard").is_visible()
    write(page, "ient")
    expect(page.locator("[name=revision]")).to_have_value("2", timeout=SLOWLY)
    page.reload()

    expect(page.locator("[data-page]")).to_have_text("Dear patient")
    assert [text.subject for text in written(sender)] == ["Half a letter"]


def test_leaving_at_once_loses_nothing(page, sender):
    page.fill("[name=subject]", "In a hurry")
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    page.get_by_role("link", name="Drafts").click()

    expect(page.get_by_role("link", name="In a hurry")).to_be_visible()


def test_back_from_where_one_went_at_once_the_words_are_there(page, sender):
    page.fill("[name=subject]", "In a hurry")
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("heading", name="Inbox").wait_for()
    page.go_back()

    expect(page.locator("[name=subject]")).to_have_value("In a hurry")
    page.get_by_role("heading", name="Draft").wait_for()
    page.go_back()
    assert len(written(sender)) == 1


def test_back_where_nothing_had_arrived_it_is_begun_anew(page, sender, complaints):
    nowhere = reverse("draft", args=[uuid7()])
    page.evaluate("(left) => history.replaceState({ left }, '')", nowhere)
    with page.expect_response(lambda it: it.url.endswith(nowhere)) as answer:
        page.reload()
    assert answer.value.status == 404
    page.wait_for_timeout(300)

    expect(page.get_by_role("heading", name="New message")).to_be_visible()
    complaints.clear()


def test_two_windows_keep_both_and_the_second_is_told(open_browser, sender, draft):
    first, second = open_browser(sender), open_browser(sender)
    for window in (first, second):
        window.goto(reverse("draft", args=[draft.message_id]))
    write(first, " One.")
    expect(told(first)).to_have_text(SAVED, timeout=SLOWLY)
    write(second, " Two.")
    expect(second.get_by_text("saved in another window meanwhile")).to_be_visible(timeout=SLOWLY)
    assert str(draft.message_id) not in second.url
    write(second, " And more.")
    expect(second.locator("[name=revision]")).to_have_value("2", timeout=SLOWLY)

    first_text, second_text = (text.body for text in written(sender))
    assert " One." in first_text
    assert " Two. And more." in second_text


def test_the_second_window_can_take_a_file_off_its_own_draft(open_browser, sender, draft, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    first, second = open_browser(sender), open_browser(sender)
    first.goto(reverse("draft", args=[draft.message_id]))
    first.set_input_files("[name=files]", tmp_path / "a.txt")
    first.get_by_role("button", name="Remove a.txt").wait_for()
    second.goto(reverse("draft", args=[draft.message_id]))
    write(first, " One.")
    expect(told(first)).to_have_text(SAVED, timeout=SLOWLY)
    write(second, " Two.")
    expect(second.get_by_text("saved in another window meanwhile")).to_be_visible(timeout=SLOWLY)
    second.get_by_role("button", name="Remove a.txt").click()

    second.get_by_text("“a.txt” was removed.").first.wait_for()
    assert second.get_by_role("button", name="Remove a.txt").count() == 0
    first.reload()
    assert first.get_by_role("button", name="Remove a.txt").is_visible()


def test_a_failure_is_said_and_tried_again(page, sender, complaints):
    page.route("**/drafts/**", lambda route: route.abort(), times=1)
    page.fill("[name=subject]", "Patience")
    expect(told(page)).to_have_text(re.compile("Not saved: the portal does not answer. Your text is still here"))
    expect(told(page)).to_have_text(SAVED, timeout=SLOWLY)

    assert [text.subject for text in written(sender)] == ["Patience"]
    complaints.clear()


def test_logged_out_and_in_again_in_another_window(page, sender, open_browser, log_in, live_server, complaints):
    PortalSession.objects.all().delete()
    page.fill("[name=subject]", "Still here")
    expect(told(page)).to_have_text(re.compile("you are not logged in any more"), timeout=SLOWLY)
    assert page.get_by_role("link", name="Log in in another window").is_visible()
    client = log_in(sender)
    cookies = [{"name": "session", "value": client.cookies["session"].value, "url": live_server.url}]
    # As a log-in does it: another session, and another token.
    page.context.clear_cookies()
    page.context.add_cookies(cookies)
    page.fill("[name=subject]", "Still here, and on")
    expect(told(page)).to_have_text(SAVED, timeout=20_000)

    assert [text.subject for text in written(sender)] == ["Still here, and on"]
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    complaints.clear()


def test_somebody_else_in_the_other_window_gets_nothing(page, sender, colleague, log_in, live_server, complaints):
    client = log_in(colleague)
    page.context.clear_cookies()
    session = client.cookies["session"].value
    page.context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
    page.fill("[name=subject]", "Mine")
    expect(told(page)).to_have_text(re.compile("you are not logged in any more"), timeout=SLOWLY)

    assert written(colleague) == []
    complaints.clear()


def test_what_was_sent_from_another_window_is_said_and_kept_as_a_draft(open_browser, sender, draft):
    page = open_browser(sender)
    page.goto(reverse("draft", args=[draft.message_id]))
    sending.send_draft(actor=sender, entry=draft)
    write(page, " Too late.")
    expect(told(page)).to_have_text(re.compile("has been sent already"), timeout=SLOWLY)

    assert page.locator("[data-page]").text_content() == "Begun. Too late."
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()
    expect(page.get_by_text("kept as a draft of its own")).to_be_visible()
    expect(page.locator("[data-page]")).to_have_text("Begun. Too late.")


def test_sending_does_not_wait_for_it(page, recipient):
    def hang(route) -> None:
        if "autosave" not in (route.request.post_data or ""):
            route.continue_()

    page.route("**/drafts/**", hang)
    page.fill("[name=to]", recipient.address)
    page.fill("[name=subject]", "Now")
    write(page, "Now.")
    page.wait_for_timeout(3500)
    page.get_by_role("button", name="Send Securely").click()
    confirm = page.get_by_role("button", name="It is right: Send Securely")
    confirm.or_(page.get_by_role("heading", name="Sent Items")).wait_for()
    if confirm.is_visible():
        confirm.click()
    expect(page.get_by_role("heading", name="Sent Items")).to_be_visible()
    assert Message.objects.get().sent_at is not None


def test_what_is_written_while_a_file_is_on_its_way_stays(page, sender, tmp_path):
    (tmp_path / "a.txt").write_text("a")
    held = []
    page.route("**/drafts/**", lambda r: held.append(r) if r.request.resource_type == "xhr" else r.continue_())
    write(page, "First words")
    page.set_input_files("[name=files]", tmp_path / "a.txt")
    write(page, " and many more")
    expect(told(page)).to_have_text(SAVED, timeout=SLOWLY)
    held[0].continue_()
    page.get_by_role("button", name="Remove a.txt").wait_for()
    page.reload()

    expect(page.locator("[data-page]")).to_have_text("First words and many more")
    assert len(written(sender)) == 1


def test_sending_while_nothing_answers_keeps_the_text_here(page, sender, recipient, complaints):
    page.route("**/drafts/**", lambda route: route.abort())
    page.fill("[name=to]", recipient.address)
    write(page, "Do not lose me.")
    expect(told(page)).to_have_text(re.compile("Not saved: the portal does not answer"), timeout=SLOWLY)
    page.get_by_role("button", name="Send Securely").click()
    expect(told(page)).to_have_text(re.compile("Not sent and not saved"))
    expect(page.locator("[data-page]")).to_have_text("Do not lose me.")
    page.unroute("**/drafts/**")
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("button", name="It is right: Send Securely").or_(page.get_by_text("Sent securely")).wait_for()

    complaints.clear()


def test_logging_out_at_once_loses_nothing(page, sender):
    page.fill("[name=subject]", "In a hurry")
    page.get_by_role("button", name="Log Out").click()
    page.wait_for_url(re.compile("/p/"))

    assert [text.subject for text in written(sender)] == ["In a hurry"]


@pytest.mark.parametrize("press", ["click", "dblclick"])
def test_logging_out_over_a_slow_line_asks_first(page, press, complaints):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.route("**/drafts/**", lambda route: None)  # for ever
    write(page, "Slowly arriving words")
    getattr(page.get_by_role("button", name="Log Out"), press)()
    page.wait_for_timeout(5000)

    assert asked == ["beforeunload"]
    assert page.locator("[data-page]").text_content() == "Slowly arriving words"
    complaints.clear()


def test_with_nothing_left_to_save_it_is_sent_when_the_portal_answers_again(open_browser, sender, draft, complaints):
    page = open_browser(sender)
    page.goto(reverse("draft", args=[draft.message_id]))
    page.route("**/drafts/**", lambda route: route.abort())
    page.fill("[name=subject]", "Begun!")
    expect(told(page)).to_have_text(re.compile("does not answer"), timeout=SLOWLY)
    page.fill("[name=subject]", "Begun")  # as it was
    page.unroute("**/drafts/**")
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("button", name="It is right: Send Securely").or_(page.get_by_text("Sent securely")).wait_for()

    complaints.clear()


def test_sent_elsewhere_while_nothing_answered_the_text_can_be_kept(open_browser, sender, draft, complaints):
    page = open_browser(sender)
    page.goto(reverse("draft", args=[draft.message_id]))
    page.route("**/drafts/**", lambda route: route.abort())
    write(page, " Too late.")
    expect(told(page)).to_have_text(re.compile("does not answer"), timeout=SLOWLY)
    sending.send_draft(actor=sender, entry=draft)
    page.unroute("**/drafts/**")
    expect(told(page)).to_have_text(re.compile("has been sent already"), timeout=SLOWLY)
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()
    expect(page.get_by_text("kept as a draft of its own")).to_be_visible()

    assert len(written(sender)) == 1
    complaints.clear()


def test_left_twice_it_is_saved_once_the_portal_answers(page, sender, complaints):
    hide = """() => {
        Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.route("**/drafts/**", lambda route: route.abort())
    page.fill("[name=subject]", "On the way")
    page.evaluate(hide)
    page.wait_for_timeout(300)
    page.unroute("**/drafts/**")
    page.evaluate(hide)
    page.wait_for_timeout(800)

    assert [text.subject for text in written(sender)] == ["On the way"]
    complaints.clear()


def test_the_line_that_is_written_stays_above_the_buttons(open_browser, sender):
    page = open_browser(sender, viewport={"width": 1280, "height": 800})
    page.goto(reverse("compose"))
    page.locator("[data-page]").click()
    for number in range(40):
        page.keyboard.type(f"Line {number}")
        page.keyboard.press("Enter")
    page.keyboard.type("last")
    last = page.evaluate("getSelection().getRangeAt(0).getBoundingClientRect().bottom")

    assert last <= page.locator(".compose__send").bounding_box()["y"]
