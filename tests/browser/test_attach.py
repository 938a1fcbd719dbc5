"""Files go as soon as they are chosen or dropped: static/js/attach.js."""

import unicodedata

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import PortalSession
from messaging import sending
from messaging.models import Attachment, MailboxEntry, Message

from . import steps
from .good import assert_good


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "results.bin"
    path.write_bytes(b"\x00\x01" * 500_000)
    return path


def test_a_chosen_file_is_attached_and_the_text_stays(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Kept")
    page.locator("[data-page]").click()
    page.keyboard.type("kept, too")
    page.locator("[name=files]").focus()
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()

    assert Attachment.objects.get().size == 1_000_000
    assert page.locator("[name=subject]").input_value() == "Kept"
    assert page.locator("[data-page]").text_content() == "kept, too"
    assert "/drafts/" in page.url
    assert page.evaluate("document.activeElement.name") == "files"


def test_two_one_after_the_other(open_browser, sender, file, tmp_path):
    (tmp_path / "second.bin").write_bytes(b"2")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    for name in ("results.bin", "second.bin"):
        page.set_input_files("[name=files]", tmp_path / name)
        page.get_by_role("button", name=f"Remove {name}").wait_for()

    page.get_by_role("button", name="Remove results.bin").click()
    page.get_by_role("button", name="Remove results.bin").wait_for(state="detached")
    assert page.locator(".files__item").count() == 1


def test_when_it_fails_the_plain_way_is_taken(open_browser, sender, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.route("**/drafts/**", lambda route: route.abort(), times=1)
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()

    assert Attachment.objects.count() == 1
    complaints.clear()


def break_uploads(page) -> None:
    page.route("**/drafts/**", lambda it: it.abort() if it.request.method == "POST" else it.fallback())


def lose_answers(page, how: str, times: int = 1) -> None:
    """Of what reaches the portal: the line breaks, or what stands before it has waited for too long."""

    def lose(route) -> None:
        route.fetch(max_redirects=0)
        route.abort() if how == "broke" else route.fulfill(status=504)

    page.route("**/drafts/**", lose, times=times)


LOST = pytest.mark.parametrize("how", ["broke", "504"])


@LOST
def test_what_arrived_though_no_answer_came_is_attached_once(open_browser, sender, tmp_path, how, complaints):
    name = unicodedata.normalize("NFD", "Befund für Müller.txt")  # as one system writes it, and the portal does not
    (tmp_path / name).write_bytes(b"1")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    lose_answers(page, how)
    page.set_input_files("[name=files]", tmp_path / name)
    page.get_by_role("button", name="Remove Befund").wait_for()
    expect(page.locator(".upload")).to_have_count(0)

    page.wait_for_timeout(500)
    assert Attachment.objects.count() == 1
    complaints.clear()


@LOST
def test_a_refusal_of_which_no_answer_came_is_said(open_browser, sender, tmp_path, how, complaints):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    lose_answers(page, how)
    page.set_input_files("[name=files]", tmp_path / "third.exe")

    expect(page.locator(".upload")).to_contain_text("the type .exe")
    complaints.clear()


@pytest.fixture
def uncertain(open_browser, sender, colleague, file, complaints):
    """A page on which a file has arrived, and nothing tells it so."""
    page = open_browser(sender)
    write_to(page, colleague)
    lose_answers(page, "broke")
    page.route("**/drafts/**", lambda it: it.abort() if it.request.method == "GET" else it.fallback())
    page.set_input_files("[name=files]", file)
    expect(page.locator(".upload")).to_contain_text("it is not certain whether this file has arrived")
    yield page
    complaints.clear()


@pytest.mark.parametrize("button", ["Try again results.bin", "Dismiss results.bin"])
def test_whether_it_arrived_is_asked_again_with_either_button(uncertain, button):
    uncertain.get_by_role("button", name=button).click()
    uncertain.wait_for_timeout(1500)
    expect(uncertain.locator(".upload")).to_contain_text("it is not certain whether this file has arrived")
    uncertain.unroute("**/drafts/**")
    uncertain.get_by_role("button", name=button).click()
    uncertain.get_by_role("button", name="Remove results.bin").wait_for()

    expect(uncertain.locator(".upload")).to_have_count(0)
    assert Attachment.objects.count() == 1


def test_nothing_is_sent_before_that_is_known(uncertain):
    uncertain.get_by_role("button", name="Send Securely").click()
    expect(told(uncertain)).to_have_text("Not done: it is not certain whether results.bin is attached.")
    uncertain.unroute("**/drafts/**")
    uncertain.get_by_role("button", name="Send Securely").click()
    uncertain.get_by_role("heading", name="Sent Items").wait_for()

    assert Attachment.objects.get().message.sent_at is not None


def test_nor_with_a_file_that_was_dismissed_and_has_arrived_after_all(uncertain):
    uncertain.get_by_role("button", name="Dismiss results.bin").click()
    expect(uncertain.get_by_role("button", name="Dismiss results.bin")).to_be_visible()
    uncertain.unroute("**/drafts/**")
    uncertain.get_by_role("button", name="Send Securely").click()

    expect(told(uncertain)).to_have_text("Not done: results.bin is attached after all.")
    uncertain.wait_for_timeout(500)
    assert not is_sent()


def test_another_files_answer_tells_it_too(uncertain):
    uncertain.unroute("**/drafts/**")
    drop(uncertain, "other.pdf")
    uncertain.get_by_role("button", name="Remove results.bin").wait_for()

    expect(uncertain.locator(".upload")).to_have_count(0)
    assert Attachment.objects.count() == 2


def test_once_the_draft_was_sent_elsewhere_nothing_is_uncertain(uncertain, sender):
    sending.send_draft(actor=sender, entry=MailboxEntry.objects.get(owner=sender))
    uncertain.unroute("**/drafts/**")
    uncertain.get_by_role("button", name="Dismiss results.bin").click()

    expect(uncertain.locator(".upload")).to_have_count(0)


def test_without_script_there_is_a_button(open_browser, sender, file):
    page = open_browser(sender, java_script_enabled=False)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", file)
    page.click("button:has-text('Attach')")

    page.get_by_role("button", name="Remove results.bin").wait_for()
    assert Attachment.objects.count() == 1


def drop(page, *names: str, kind: str = "drop", target: str = "[data-page]") -> None:
    """Files of one byte, let go over the editor."""
    page.evaluate(
        """([names, kind, target]) => {
            const dataTransfer = new DataTransfer();
            for (const name of names) dataTransfer.items.add(new File(["x"], name));
            const event = new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true });
            document.querySelector(target).dispatchEvent(event);
        }""",
        [names, kind, target],
    )


def test_several_are_dropped_at_once(open_browser, sender):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Three of them")
    drop(page, "one.pdf", kind="dragover")
    assert "compose--drop" in page.locator("form.compose").get_attribute("class")
    drop(page, "one.pdf", "two.pdf", "three.pdf")
    page.get_by_role("button", name="Remove three.pdf").wait_for()

    assert page.locator(".files__item").count() == 3
    assert page.locator(".upload").count() == 0
    assert "compose--drop" not in page.locator("form.compose").get_attribute("class")
    assert page.locator("[data-page]").text_content() == ""
    assert sorted(Attachment.objects.values_list("size", flat=True)) == [1, 1, 1]
    assert Message.objects.count() == 1


def test_each_shows_its_progress_and_can_be_cancelled(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    held = []
    page.route("**/drafts/**", lambda route: held.append(route))
    page.set_input_files("[name=files]", file)
    drop(page, "other.pdf", "third.pdf")
    assert page.get_by_role("progressbar", name="results.bin").is_visible()
    assert page.get_by_text("Waits for the one before it.").count() == 2
    assert_good(page)
    page.get_by_role("button", name="Cancel other.pdf").click()
    page.get_by_role("button", name="Cancel results.bin").click()
    page.get_by_role("progressbar", name="third.pdf").wait_for()
    page.wait_for_timeout(200)
    held[-1].continue_()
    page.get_by_role("button", name="Remove third.pdf").wait_for()

    assert Attachment.objects.get().size == 1


def test_what_is_too_large_is_said_before_it_goes(open_browser, sender, file, organization):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.evaluate("document.querySelector('[data-uploads]').dataset.maxBytes = 1000")
    asked = []
    page.on("request", lambda request: request.method == "POST" and asked.append(request.url))
    page.set_input_files("[name=files]", file)

    assert "Not attached: a file may have" in page.locator(".upload").text_content()
    assert asked == []


def test_a_refusal_stays_beside_its_file(open_browser, sender, tmp_path):
    for name, content in (("first.pdf", b"MZ\x90\0"), ("second.txt", b"2"), ("third.exe", b"3"), ("fourth.txt", b"4")):
        (tmp_path / name).write_bytes(content)
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", sorted(tmp_path.iterdir(), key=lambda path: path.suffix))
    page.get_by_role("button", name="Remove second.txt").wait_for()
    page.get_by_role("button", name="Remove fourth.txt").wait_for()

    assert "its content is a program" in page.locator(".upload", has_text="first.pdf").text_content()
    assert "the type .exe" in page.locator(".upload", has_text="third.exe").text_content()
    page.get_by_role("button", name="Dismiss first.pdf").click()
    assert page.locator(".upload").count() == 1


def test_a_failure_stays_in_sight_and_can_be_tried_again(open_browser, sender, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    break_uploads(page)
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Try again results.bin").wait_for()
    expect(page.locator(".upload")).to_contain_text("Not attached: the portal did not take it.")
    page.unroute("**/drafts/**")
    page.get_by_role("button", name="Try again results.bin").click()
    page.get_by_role("button", name="Remove results.bin").wait_for()

    assert Attachment.objects.count() == 1
    complaints.clear()


def test_sending_waits_for_the_files(open_browser, sender, colleague, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=to]", colleague.address)
    page.fill("[name=subject]", "With a file")
    page.locator("[data-page]").click()
    page.keyboard.type("Here it is.")
    held = []
    page.route("**/drafts/**", lambda route: held.append(route), times=1)
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Send Securely").click()
    assert page.locator("[data-holding]").is_visible()
    held[0].continue_()
    page.get_by_role("heading", name="Sent Items").wait_for()

    assert Attachment.objects.get().message.sent_at is not None


def test_sending_that_was_confirmed_waits_for_them_too(open_browser, sender, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    confirm = steps.send_somewhere_new(page, "With a file")
    held = []
    page.route("**/drafts/**", lambda route: held.append(route), times=1)
    page.set_input_files("[name=files]", file)
    confirm.click()
    held[0].continue_()
    page.get_by_role("heading", name="Sent Items").wait_for()

    assert Attachment.objects.get().message.sent_at is not None
    complaints.clear()  # of the page that asked, which is a 422


def test_attaching_and_autosaving_are_one_window(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "One draft")
    page.get_by_text("Draft saved").wait_for()
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()
    page.fill("[name=subject]", "One draft, still")
    page.locator("[name=revision][value='3']").wait_for(state="attached", timeout=15_000)

    assert Message.objects.count() == 1


def test_nothing_is_sent_without_a_file_that_was_refused(open_browser, sender, colleague, tmp_path):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=to]", colleague.address)
    page.fill("[name=subject]", "With a file")
    held = []
    page.route("**/drafts/**", lambda route: held.append(route), times=1)
    page.set_input_files("[name=files]", tmp_path / "third.exe")
    page.get_by_role("button", name="Send Securely").click()
    held[0].continue_()
    page.locator(".upload", has_text="the type .exe").wait_for()
    page.wait_for_timeout(500)

    assert page.locator("[data-holding]").text_content() == "Not sent: third.exe is not attached."
    assert not Message.objects.filter(sent_at__isnull=False).exists()


def test_removing_one_waits_for_the_others(open_browser, sender, file, tmp_path):
    (tmp_path / "second.bin").write_bytes(b"2")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Remove results.bin").wait_for()
    held = []
    page.route("**/drafts/**", lambda route: held.append(route), times=1)
    page.set_input_files("[name=files]", tmp_path / "second.bin")
    page.get_by_role("button", name="Remove results.bin").click()
    assert page.locator("[data-holding]").text_content() == "Done as soon as the files are attached."
    held[0].continue_()
    page.get_by_role("button", name="Remove results.bin").wait_for(state="detached")
    page.get_by_role("button", name="Remove second.bin").wait_for()


def test_trying_again_after_logging_in_anew(open_browser, sender, log_in, live_server, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Kept")
    page.get_by_text("Draft saved").wait_for()
    client = log_in(sender)
    page.context.clear_cookies()
    session = client.cookies["session"].value
    page.context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Try again results.bin").click()
    page.get_by_role("button", name="Remove results.bin").wait_for()

    complaints.clear()


def test_nor_is_it_in_vain_when_nothing_was_typed(open_browser, sender, log_in, live_server, file, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    PortalSession.objects.all().delete()
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Try again results.bin").wait_for()
    session = log_in(sender).cookies["session"].value
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "session", "value": session, "url": live_server.url}])
    page.get_by_role("button", name="Try again results.bin").click()
    page.get_by_role("button", name="Remove results.bin").wait_for()

    complaints.clear()


def write_to(page, colleague) -> None:
    page.goto(reverse("compose"))
    page.fill("[name=to]", colleague.address)
    page.fill("[name=subject]", "With a file")


def told(page):
    return page.locator(".compose__send > [data-holding]")


def is_sent() -> bool:
    return Message.objects.filter(sent_at__isnull=False).exists()


def hold_uploads(page, times: int = 1) -> list:
    held: list = []
    page.route("**/drafts/**", lambda route: held.append(route), times=times)
    return held


@pytest.mark.parametrize("others", [[], ["other.pdf"]])
def test_cancelling_what_sending_waits_for_sends_nothing(open_browser, sender, colleague, file, others):
    page = open_browser(sender)
    write_to(page, colleague)
    hold_uploads(page)
    page.set_input_files("[name=files]", file)
    drop(page, *others)
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("button", name="Cancel results.bin").click()

    expect(told(page)).to_have_text("Not sent: results.bin is not attached.")
    expect(page.locator("[data-say]")).to_have_text("Not sent: results.bin is not attached.")
    for name in others:
        page.get_by_role("button", name=f"Remove {name}").wait_for()
    page.wait_for_timeout(500)
    assert not is_sent()
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("heading", name="Sent Items").wait_for()


@pytest.mark.parametrize("viewport", [{"width": 360, "height": 740}, {"width": 1280, "height": 800}])
def test_that_sending_waits_is_said_where_it_was_pressed(open_browser, sender, colleague, tmp_path, viewport):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender, viewport=viewport, reduced_motion="reduce")
    write_to(page, colleague)
    page.locator("[data-page]").click()
    for _line in range(60):
        page.keyboard.press("Enter")
    held = hold_uploads(page)
    page.set_input_files("[name=files]", tmp_path / "third.exe")
    page.get_by_role("button", name="Send Securely").click()
    expect(told(page)).to_have_text("The message goes as soon as its files are attached.")
    expect(told(page)).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Send Securely")).to_be_in_viewport(ratio=1)
    assert_good(page)
    held[0].continue_()

    expect(told(page)).to_have_text("Not sent: third.exe is not attached.")
    expect(told(page)).to_be_in_viewport(ratio=1)
    expect(page.locator(".upload")).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-say]")).to_contain_text("Not sent: third.exe is not attached.")


def test_saving_that_waited_for_a_refused_file_is_said_not_to_be(open_browser, sender, tmp_path):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    held = hold_uploads(page)
    page.set_input_files("[name=files]", tmp_path / "third.exe")
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()
    held[0].continue_()

    expect(told(page)).to_have_text("Not done: third.exe is not attached.")


def test_without_a_refused_file_it_is_sent_when_pressed_twice(open_browser, sender, colleague, tmp_path):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender)
    write_to(page, colleague)
    page.set_input_files("[name=files]", tmp_path / "third.exe")
    page.locator(".upload", has_text="the type .exe").wait_for()
    send = page.get_by_role("button", name="Send Securely")
    send.dblclick()

    words = "third.exe is not attached. Dismiss it, or press Send Securely again to send without it."
    expect(told(page)).to_have_text(words)
    expect(told(page)).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-say]")).to_have_text(words)
    page.wait_for_timeout(1000)
    assert not is_sent()
    send.click()
    page.get_by_role("heading", name="Sent Items").wait_for()
    assert is_sent()


def test_a_refused_file_that_was_dismissed_holds_nothing_back(open_browser, sender, colleague, tmp_path):
    for name in ("one.exe", "two.exe"):
        (tmp_path / name).write_bytes(b"1")
    page = open_browser(sender)
    write_to(page, colleague)
    page.set_input_files("[name=files]", sorted(tmp_path.iterdir()))
    expect(page.locator(".upload--refused")).to_have_count(2)
    page.get_by_role("button", name="Send Securely").click()
    expect(told(page)).to_contain_text("one.exe, two.exe are not attached. Dismiss them, or")
    for name in ("one.exe", "two.exe"):
        page.get_by_role("button", name=f"Dismiss {name}").click()
    expect(told(page)).to_be_hidden()
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("heading", name="Sent Items").wait_for()


def test_nor_does_it_hold_back_saving(open_browser, sender, tmp_path):
    (tmp_path / "third.exe").write_bytes(b"3")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", tmp_path / "third.exe")
    page.locator(".upload", has_text="the type .exe").wait_for()
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()

    page.get_by_text("Draft saved.", exact=True).wait_for()


def test_a_failed_file_holds_back_sending_until_it_is_there(open_browser, sender, colleague, file, complaints):
    page = open_browser(sender)
    write_to(page, colleague)
    break_uploads(page)
    page.set_input_files("[name=files]", file)
    again = page.get_by_role("button", name="Try again results.bin")
    again.wait_for()
    page.get_by_role("button", name="Send Securely").click()
    expect(told(page)).to_contain_text("results.bin is not attached.")
    assert page.get_by_role("button", name="Dismiss results.bin").is_visible()
    page.unroute("**/drafts/**")
    again.click()
    page.get_by_role("button", name="Remove results.bin").wait_for()
    expect(told(page)).to_be_hidden()
    page.get_by_role("button", name="Send Securely").click()
    page.get_by_role("heading", name="Sent Items").wait_for()

    assert Attachment.objects.get().message.sent_at is not None
    complaints.clear()


def test_that_a_file_is_there_is_said(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", file)

    expect(page.locator("[data-say]")).to_have_text("results.bin attached")


def test_a_dropped_folder_is_seen_to_be_refused(open_browser, sender, colleague):
    page = open_browser(sender)
    write_to(page, colleague)
    page.evaluate(
        """() => {
            DataTransferItem.prototype.webkitGetAsEntry = function () {
                const { name } = this.getAsFile();
                return { name, isDirectory: name === "A" };
            };
        }"""
    )
    drop(page, "A", "one.pdf")
    page.get_by_role("button", name="Remove one.pdf").wait_for()

    row = page.locator(".upload--refused")
    expect(row).to_contain_text("A folder cannot be attached. Open it and choose the files in it.")
    expect(row.locator("bdi")).to_have_text("A")
    expect(row.locator("bdi")).to_be_visible()
    page.get_by_role("button", name="Send Securely").click()
    expect(told(page)).to_contain_text("A is not attached.")


def test_a_name_is_said_as_it_is(open_browser, sender, tmp_path):
    (tmp_path / "a$&b.txt").write_bytes(b"1")
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", tmp_path / "a$&b.txt")

    expect(page.locator("[data-say]")).to_have_text("a$&b.txt attached")


def paste(page, *, html: str = "", plain: str = "", target: str = "[data-page]") -> None:
    """A picture, and what else lies on the clipboard with it."""
    page.locator(target).focus()
    page.evaluate(
        """([html, plain, target]) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File(["x"], "image.png", { type: "image/png" }));
            if (html) clipboardData.setData("text/html", html);
            if (plain) clipboardData.setData("text/plain", plain);
            const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
            document.querySelector(target).dispatchEvent(event);
        }""",
        [html, plain, target],
    )


@pytest.mark.parametrize(
    ("html", "target"),
    [
        ("", "[data-page]"),
        ("", "[name=subject]"),
        ('<html><body><!--StartFragment--><img src="https://a.example/b.png"></body></html>', "[data-page]"),
    ],
)
def test_a_pasted_screenshot_is_attached(open_browser, sender, html, target):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    paste(page, html=html, target=target)
    page.get_by_role("button", name="Remove image.png").wait_for()

    expect(page.locator("[data-say]")).to_have_text("image.png attached")
    assert page.locator("[data-page]").text_content() == ""


@pytest.mark.parametrize("plain", ["", "From a letter"])
def test_words_with_a_picture_of_them_are_pasted_as_words(open_browser, sender, plain):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    html = "<html><head><style>p {color: red}</style></head><body><p style='margin:0'>From a <b>letter</b></p></body>"
    paste(page, html=html, plain=plain)

    expect(page.locator("[data-page]")).to_have_text("From a letter")
    expect(page.locator("[data-page] b")).to_have_text("letter")
    assert page.locator(".upload, .files__item").count() == 0


def test_a_pasted_text_without_files_is_not_looked_through(open_browser, sender):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    asked = page.evaluate(
        """() => {
            const asked = [];
            DataTransfer.prototype.getData = (kind) => (asked.push(kind), "");
            const clipboardData = new DataTransfer();
            const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
            document.querySelector("[name=subject]").dispatchEvent(event);
            return asked;
        }"""
    )
    assert asked == []


def refused(page, folder, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"1")
    page.set_input_files("[name=files]", [folder / name for name in names])
    expect(page.locator(".upload--refused")).to_have_count(len(names), timeout=30_000)


def save_draft(page) -> None:
    page.get_by_role("button", name="Save Draft").locator("visible=true").click()


@pytest.mark.parametrize("how", ["Save Draft", "Enter", "Remove"])
def test_a_refused_file_is_not_forgotten_by_the_page_that_comes(open_browser, sender, tmp_path, how):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    drop(page, "one.pdf")
    page.get_by_role("button", name="Remove one.pdf").wait_for()
    refused(page, tmp_path, "third.exe")
    if how == "Enter":
        page.locator("[name=subject]").press("Enter")
    elif how == "Remove":
        page.get_by_role("button", name="Remove one.pdf").click()
    else:
        save_draft(page)

    expect(page.locator(".notice--warning", has_text="Not attached: third.exe.")).to_be_visible()
    save_draft(page)
    page.get_by_text("Draft saved.", exact=True).wait_for()
    expect(page.get_by_text("Not attached:")).to_have_count(0)


def test_discarding_waits_for_the_files_and_keeping_keeps_them(open_browser, sender, file):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.fill("[name=subject]", "Kept")
    page.get_by_text("Draft saved").wait_for()
    held = hold_uploads(page)
    page.set_input_files("[name=files]", file)
    page.get_by_role("button", name="Discard").click()
    expect(told(page)).to_have_text("Done as soon as the files are attached.")
    held[0].continue_()
    page.get_by_role("link", name="Keep").click()

    page.get_by_role("button", name="Remove results.bin").wait_for()


def test_a_file_takes_away_no_question_and_no_focus(open_browser, sender, complaints):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    confirm = steps.send_somewhere_new(page, "With a file")
    confirm.focus()
    drop(page, "one.pdf")
    page.get_by_role("button", name="Remove one.pdf").wait_for()
    expect(confirm).to_be_focused()

    page.get_by_role("button", name="Remove one.pdf").focus()
    drop(page, "two.pdf")
    page.get_by_role("button", name="Remove two.pdf").wait_for()
    expect(page.get_by_role("button", name="Remove one.pdf")).to_be_focused()
    complaints.clear()


LONG = ["Befundbericht_Magnetresonanztomographie_20261128.exe", f"{'Befund' * 28}.exe"]


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
@pytest.mark.parametrize("width", [360, 320])
def test_a_long_name_is_no_wider_than_the_screen(open_browser, sender, tmp_path, width, has_script):
    page = open_browser(sender, viewport={"width": width, "height": 740}, java_script_enabled=has_script)
    page.goto(reverse("compose"))
    for name in LONG:
        (tmp_path / name).write_bytes(b"1")
    page.set_input_files("[name=files]", [tmp_path / name for name in LONG])
    if has_script:
        expect(page.locator(".upload--refused")).to_have_count(2)
        page.get_by_role("button", name="Send Securely").click()
    else:
        page.get_by_role("button", name="Attach", exact=True).click()
        expect(page.locator(".notice--error")).to_have_count(2)
    client = page.context.new_cdp_session(page)
    sizes = client.send("Page.getLayoutMetrics")
    assert sizes["cssContentSize"]["width"] <= width


def test_of_many_missing_files_some_are_named(open_browser, sender, colleague, tmp_path):
    page = open_browser(sender, viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    write_to(page, colleague)
    refused(page, tmp_path, *(f"file-{number:02}.exe" for number in range(30)))
    page.get_by_role("button", name="Send Securely").click()

    expect(told(page)).to_contain_text("file-00.exe, file-01.exe, file-02.exe and 27 more are not attached.")
    expect(page.locator(".upload").first).to_be_in_viewport(ratio=1)
    assert told(page).bounding_box()["height"] <= 0.4 * 740
    assert_good(page)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "plain"])
def test_removing_one_leads_back_to_the_files(open_browser, sender, file, has_script):
    page = open_browser(sender, viewport={"width": 360, "height": 400}, java_script_enabled=has_script)
    page.goto(reverse("compose"))
    page.set_input_files("[name=files]", file)
    if not has_script:
        page.get_by_role("button", name="Attach", exact=True).click()
        expect(page.get_by_role("heading", name="Attachments")).to_be_in_viewport()
    page.get_by_role("button", name="Remove results.bin").click()

    expect(page.get_by_text("“results.bin” was removed.").first).to_be_visible()
    expect(page.get_by_text("Draft saved.")).to_have_count(0)
    expect(page.get_by_role("heading", name="Attachments")).to_be_in_viewport()
    if has_script:
        expect(page.locator("#files")).to_be_focused()
        expect(page.locator("[data-say]")).to_contain_text("“results.bin” was removed.")


def test_that_one_was_dismissed_is_said(open_browser, sender, tmp_path):
    page = open_browser(sender)
    page.goto(reverse("compose"))
    refused(page, tmp_path, "third.exe")
    page.get_by_role("button", name="Dismiss third.exe").click()

    expect(page.locator("[data-say]")).to_have_text("third.exe: dismissed")


def test_a_file_that_makes_a_third_draft_takes_the_newer_text_along(open_browser, sender, file):
    first, second = open_browser(sender), open_browser(sender)
    first.goto(reverse("compose"))
    first.fill("[name=subject]", "Begun")
    first.get_by_text("Draft saved").wait_for()
    second.goto(first.url)
    held = []
    second.route("**/drafts/**", lambda it: held.append(it) if it.request.resource_type == "xhr" else it.fallback())
    second.set_input_files("[name=files]", file)
    first.fill("[name=subject]", "Begun, and on")
    expect(first.locator("[name=revision]")).to_have_value("2", timeout=15_000)
    second.fill("[name=subject]", "Another ending")
    expect(second.get_by_text("saved in another window meanwhile")).to_be_visible(timeout=15_000)
    held[0].continue_()
    second.get_by_role("button", name="Remove results.bin").wait_for()
    second.wait_for_timeout(4000)
    second.reload()

    expect(second.locator("[name=subject]")).to_have_value("Another ending")
    expect(second.get_by_role("button", name="Remove results.bin")).to_be_visible()
