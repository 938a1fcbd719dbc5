"""Rich text over the plain field: static/js/editor.js."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from messaging import drafts, sending, signatures
from messaging.drafts import DraftText
from messaging.models import MailboxEntry
from portal.ids import uuid7

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><style>p.MsoNormal {color: red}</style></head>
<body><!--StartFragment--><p class=MsoNormal style='margin:0cm'><b><span style='color:#C00000'>Dear all<o:p></o:p>
</span></b></p><table class=MsoTable border=1><tr><td style='width:10pt'><p class=MsoNormal>cell</p></td></tr></table>
<!--EndFragment--></body></html>"""
HOSTILE = """<img src=x onerror="document.title='ran'"><script>document.title='ran'</script>
<svg onload="document.title='ran'"></svg>
<a href="javascript:document.title='ran'">bad</a><iframe srcdoc="<script>top.document.title='ran'</script>"></iframe>
<form action="https://evil.example"><input name=x></form><a href="https://ok.example/">good</a>"""


@pytest.fixture
def page(open_browser, sender) -> Page:
    page = open_browser(sender)
    page.goto(reverse("compose"))
    page.locator("[data-page]").click()
    return page


def written(page: Page) -> str:
    """What would be sent, without the line break that holds an empty line open."""
    return page.locator("[name=body]").input_value().replace("<div><br></div>", "").replace("<br></div>", "</div>")


def paste(page: Page, html: str) -> None:
    """Until it is there: the editor is handed what the clipboard holds after the event."""
    page.evaluate(
        """(html) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/html", html);
            clipboardData.setData("text/plain", "words only");
            const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
            document.querySelector("[data-page]").dispatchEvent(event);
        }""",
        html,
    )
    page.wait_for_function("document.querySelector('[name=body]').value !== ''")


def tool(page: Page, name: str) -> None:
    page.click(f"[data-tool={name}]")


def test_it_takes_the_place_of_the_field_and_keeps_it_in_step(page):
    page.keyboard.type("Dear all")

    assert page.locator("[name=body]").is_hidden()
    assert page.locator("[name=body_format]").input_value() == "html"
    assert written(page) == "<div>Dear all</div>"


def test_it_is_the_field_to_a_screen_reader(page):
    assert page.get_by_role("textbox", name="Message").is_visible()
    assert page.get_by_role("toolbar", name="Formatting").is_visible()


@pytest.mark.parametrize(
    ("name", "html"),
    [
        ("bold", "<div>a <b>b</b></div>"),
        ("italic", "<div>a <i>b</i></div>"),
        ("underline", "<div>a <u>b</u></div>"),
    ],
)
def test_formats(page, name, html):
    page.keyboard.type("a ")
    tool(page, name)
    assert page.locator(f"[data-tool={name}]").get_attribute("aria-pressed") == "true"
    page.keyboard.type("b")

    assert written(page).replace("&nbsp;", " ") == html


@pytest.mark.parametrize(
    ("name", "tag"), [("bullets", "<ul><li>a</li></ul>"), ("numbers", "<ol><li>a</li></ol>"), ("quote", "<blockquote>")]
)
def test_blocks_go_on_and_off(page, name, tag):
    page.keyboard.type("a")
    tool(page, name)
    assert tag in written(page)
    tool(page, name)
    assert written(page) == "<div>a</div>"


def test_formatting_can_be_removed(page):
    tool(page, "bold")
    page.keyboard.type("loud")
    page.keyboard.press("Control+a")
    tool(page, "plain")

    assert written(page) == "<div>loud</div>"


def test_a_link_by_keyboard_alone(page):
    page.keyboard.type("our page")
    page.keyboard.press("Control+a")
    page.keyboard.press("Alt+F10")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.dataset.tool") == "link"
    page.keyboard.press("Enter")
    page.keyboard.type("example.org/page")
    page.keyboard.press("Enter")

    assert written(page) == '<div><a href="https://example.org/page">our page</a></div>'


def test_what_is_no_address_becomes_no_link(page):
    page.keyboard.type("words")
    page.keyboard.press("Control+a")
    tool(page, "link")
    page.fill("#id_link", "two words")
    page.click("text=Set link")

    assert page.get_by_text("That is not an address.").is_visible()
    page.keyboard.press("Escape")
    assert written(page) == "<div>words</div>"


def test_the_toolbar_is_one_stop_for_the_tab_key(page):
    page.keyboard.press("Alt+F10")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")

    assert page.evaluate("document.activeElement.hasAttribute('data-page')")
    assert page.locator("[data-tool][tabindex='0']").count() == 1


def test_pasting_from_word_keeps_the_letter_and_drops_its_looks(page):
    paste(page, WORD)

    html = written(page)
    assert "<b>Dear all" in html
    assert "<td>" in html
    assert not any(word in html for word in ("style", "Mso", "class", "o:p", "color"))


def test_pasting_runs_nothing(page, complaints):
    paste(page, HOSTILE)
    page.wait_for_timeout(200)

    assert page.title() != "ran"
    assert 'href="https://ok.example/"' in written(page)
    assert not any(word in written(page) for word in ("img", "script", "svg", "iframe", "form", "input", "onerror"))


def test_an_empty_page_sends_nothing(page):
    page.keyboard.type("a")
    page.keyboard.press("Backspace")

    assert written(page) == ""


def test_a_saved_draft_comes_back_formatted(page):
    page.keyboard.press("Control+b")
    page.keyboard.type("bold")
    page.click("button:visible:has-text('Save Draft')")
    page.wait_for_url("**/drafts/*/")

    assert page.locator("[data-page] b").text_content() == "bold"


def test_enter_in_a_field_saves_and_never_sends(page):
    page.fill("[name=to]", "first@outside.example")
    page.fill("[name=subject]", "Not yet")
    page.press("[name=subject]", "Enter")
    page.wait_for_url("**/drafts/*/")

    assert page.get_by_text("Draft saved.").is_visible()


@pytest.mark.parametrize("missing", ["purify", "squire"])
def test_without_one_of_its_parts_the_plain_field_remains(open_browser, sender, complaints, missing):
    page = open_browser(sender)
    page.route(f"**/*{missing}*.js", lambda route: route.abort())
    page.goto(reverse("compose"))

    assert page.locator("textarea[name=body]").is_visible()
    assert page.locator("[name=body_format]").input_value() == "plain"
    complaints.clear()


def test_without_script_the_plain_field_remains(open_browser, sender):
    page = open_browser(sender, java_script_enabled=False)
    page.goto(reverse("compose"))

    assert page.locator("textarea[name=body]").is_visible()
    assert page.locator(".editor").count() == 0


@pytest.mark.parametrize("script", [True, False])
def test_the_cursor_is_where_one_begins(open_browser, sender, recipient, script):
    signatures.change(recipient, "Best wishes")
    text = DraftText(to=recipient.address, subject="Letter", body="<p>Words</p>")
    draft = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
    sent = sending.send_draft(actor=sender, entry=draft).message
    entry = MailboxEntry.objects.get(owner=recipient, message=sent)

    page = open_browser(sender, java_script_enabled=script)
    page.goto(reverse("compose"))
    expect(page.get_by_label("To", exact=True)).to_be_focused()

    page = open_browser(recipient, java_script_enabled=script)
    page.goto(reverse("reply", args=[entry.id]))
    box = page.get_by_role("textbox", name="Message")
    expect(box).to_be_focused()
    page.keyboard.type("Thank you.")
    assert (box.inner_text() if script else box.input_value()).split() == ["Thank", "you.", "Best", "wishes"]
