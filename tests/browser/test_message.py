"""The frame a message is read in: static/js/body_frame.js, and what its sandbox holds back."""

import base64
import struct
import zlib

import pytest
from django.urls import reverse

from messaging import drafts, sending
from messaging.bodies import sanitize
from messaging.drafts import DraftText
from messaging.models import MailboxEntry
from portal.ids import uuid7


def tall_picture() -> str:
    """A PNG of 1 × 900 pixels as a data URL."""
    rows = zlib.compress(b"\x00\x00" * 900)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 1, 900, 8, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return "data:image/png;base64," + base64.b64encode(png).decode()


@pytest.fixture
def read(open_browser, sender, recipient):
    """read(html, **context): the recipient's window with that message open."""

    def open_message(html: str, **options):
        text = DraftText(to=recipient.address, subject="Letter", body=sanitize(html))
        entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
        message = sending.send_draft(actor=sender, entry=entry).message
        page = open_browser(recipient, **options)
        page.goto(reverse("message", args=[MailboxEntry.objects.get(owner=recipient, message=message).id]))
        page.wait_for_load_state("networkidle")
        return page

    return open_message


def frame_height(page) -> float:
    return page.locator("iframe").bounding_box()["height"]


def test_the_frame_is_as_high_as_the_text(read):
    short = frame_height(read("<p>One line.</p>"))
    tall = frame_height(read("<p>One line.</p>" * 100))

    assert short < 120
    assert tall > 3000


def test_nothing_scrolls_inside_it(read):
    page = read("<p>Word.</p>" * 60)

    document = page.frames[1]
    assert document.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_it_grows_when_the_window_gets_narrow(read):
    page = read("<p>" + "word " * 400 + "</p>", viewport={"width": 1280, "height": 800})
    before = frame_height(page)
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_timeout(200)

    assert frame_height(page) > before * 1.5


def test_it_makes_room_for_a_picture(read):
    assert frame_height(read(f'<img src="{tall_picture()}" alt="">')) > 900


def test_it_keeps_up_with_the_tables_of_mail_programs(read):
    page = read('<table width="1400" border="1"><tr><td>wide</td></tr></table>', viewport={"width": 360, "height": 700})

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_text_with_colours_is_on_paper_at_night(read):
    page = read('<p style="color:#1F497D">Dark blue.</p>', color_scheme="dark")

    assert page.frames[1].evaluate("getComputedStyle(document.querySelector('.text')).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


def test_without_script_it_is_tall_and_scrolls(read):
    page = read("<p>Word.</p>" * 100, java_script_enabled=False, viewport={"width": 1280, "height": 800})

    assert 400 < frame_height(page) < 700


def test_a_link_opens_a_window_of_its_own_without_a_referrer(read):
    page = read('<a href="http://127.0.0.1:1/">out</a>')
    link = page.frames[1].locator("a")

    assert link.get_attribute("target") == "_blank"
    assert "noreferrer" in link.get_attribute("rel")
