"""The main job against `make run`'s one process: real pages, real SMTP, with and without script."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.in_the_clear import files_holding
from tests.portal_process import PortalProcess, free_port, running

from . import steps
from .main_job import UNDO_SECONDS, Letter, MainJob, Place, letter

with_and_without_script = pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])


@pytest.fixture(scope="module")
def portal(tmp_path_factory) -> Iterator[PortalProcess]:
    with running(tmp_path_factory.mktemp("portal") / "var") as process:
        yield process


@pytest.fixture(scope="module")
def told(portal) -> dict:
    return portal.wait_until_ready()


@pytest.fixture(scope="module")
def place(portal, told) -> Place:
    return place_of(portal, told)


def place_of(portal: PortalProcess, told: dict) -> Place:
    sender = next(person for person in told["people"] if person["role"] == "sender")

    def mails_to(address: str) -> list[EmailMessage]:
        caught = (BytesParser(policy=email_policy).parsebytes(path.read_bytes()) for path in portal.mails())
        return [mail for mail in caught if mail["To"] == address]  # type: ignore[misc]

    return Place(told["login_url"], sender["email"], sender["password"], mails_to)


@pytest.fixture
def window(browser: Browser, complaints) -> Iterator[Callable[..., Page]]:
    """window(**context): a browser that has never been here."""
    contexts = []

    def open_window(**options) -> Page:
        contexts.append(browser.new_context(**options))
        return steps.watch(contexts[-1].new_page(), complaints)

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture
def new_letter(tmp_path, script) -> Letter:
    return letter(tmp_path, "with-script" if script else "without-script")


@with_and_without_script
def test_from_the_first_letter_to_its_recall(portal, place, window, new_letter, script):
    job = MainJob(place, new_letter, lambda: window(java_script_enabled=script))
    job.go()

    assert_rich_text_came_through(job, script)
    assert_nothing_in_the_clear(portal, new_letter)
    for page in (job.sender, job.recipient):
        assert steps.what_the_browser_kept(page) == []
        assert_nothing_is_left_after_logging_out(page, new_letter)


def assert_rich_text_came_through(job: MainJob, script: bool) -> None:
    steps.open_message(job.sender, "Sent Items", job.letter.subject)
    frame = job.sender.frame_locator("iframe")
    expect(frame.get_by_text(job.letter.body)).to_be_visible()
    assert (frame.locator("b", has_text=job.letter.body).count() == 1) is script


def assert_nothing_in_the_clear(portal: PortalProcess, secret: Letter) -> None:
    """In nothing the process has written or printed; mail included."""
    assert files_holding(portal.folder, secret.words) == []
    assert not [word for word in secret.words if word in "\n".join(portal.said)]
    # The search itself works: who wrote to whom is in the database, and nowhere sealed.
    assert any("securemsg.sqlite3" in found for found in files_holding(portal.folder, [secret.to]))


def assert_nothing_is_left_after_logging_out(page: Page, secret: Letter) -> None:
    page.get_by_role("button", name="Log Out").click()
    expect(page.get_by_label("Email Address")).to_be_visible()
    for _ in range(3):
        page.go_back()
        expect(page.get_by_text(secret.subject)).to_have_count(0)
        expect(page.get_by_role("button", name="Log Out")).to_have_count(0)
    assert steps.what_the_browser_kept(page) == []


def test_undo_brings_the_draft_back_and_no_mail_leaves(place, window, tmp_path):
    page, undone = window(), letter(tmp_path, "undone")
    page.goto(place.login_url)
    steps.log_in(page, place.sender, place.password)
    steps.write(page, to=undone.to, subject=undone.subject, body=undone.body)
    steps.attach(page, undone.file)
    steps.send(page, confirm=True)
    sent_at = time.monotonic()
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Taken back. Nobody has seen it")).to_be_visible()
    expect(page.get_by_role("textbox", name="Message")).to_have_text(undone.body)
    expect(page.get_by_label("Subject")).to_have_value(undone.subject)
    expect(page.get_by_label("To", exact=True)).to_have_value(undone.to)
    expect(page.get_by_role("button", name=f"Remove {undone.file.name}")).to_be_visible()
    page.wait_for_timeout(1000 * (UNDO_SECONDS + 3 - (time.monotonic() - sent_at)))
    assert place.mails_to(undone.to) == []


def test_the_mail_page_shows_what_arrived_and_its_link_leads_in(place, told, window, tmp_path):
    page, shown = window(), letter(tmp_path, "mail-page")
    page.goto(place.login_url)
    steps.log_in(page, place.sender, place.password)
    steps.write(page, to=shown.to, subject=shown.subject, body=shown.body)
    steps.send(page, confirm=True)
    reader = window()
    rows = reader.get_by_role("listitem").filter(has_text=shown.to)
    for _ in range(UNDO_SECONDS + 10):
        reader.goto(told["mail_url"])
        if rows.count() == 2:
            break
        reader.wait_for_timeout(1000)
    rows.get_by_role("link", name="Secure Messaging Notification").click()
    expect(reader.frame_locator("iframe").get_by_role("link", name="Open the message")).to_be_visible()
    reader.get_by_role("link", name="/m/").click()
    expect(reader.get_by_label("Email Address")).to_be_visible()

    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_have_count(0)  # its time is over


def test_stopped_and_started_again_everything_is_there(tmp_path, browser, window):
    """Ctrl-C in the middle of the undo window: the mail leaves after the next start, and once."""
    folder, port = tmp_path / "var", free_port()
    kept = letter(tmp_path, "kept")
    page = window()
    with running(folder, port) as portal:
        place = place_of(portal, portal.wait_until_ready())
        page.goto(place.login_url)
        steps.log_in(page, place.sender, place.password)
        steps.write(page, to=kept.to, subject=kept.subject, body=kept.body)
        steps.attach(page, kept.file)
        steps.send(page, confirm=True)
        asked_to_stop_at = time.monotonic()
        assert portal.interrupt() == 0
        assert time.monotonic() - asked_to_stop_at < 5
        assert place.mails_to(kept.to) == []
        with sqlite3.connect(folder / "securemsg.sqlite3") as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with running(folder, port) as portal:
        place = place_of(portal, portal.wait_until_ready())
        page.reload()
        page.get_by_role("link", name=kept.subject).first.click()
        assert kept.body in steps.text_of_message(page)
        assert steps.digest_of_download(page, kept.file.name) == steps.digest(kept.file)
        ends = time.monotonic() + 20
        while len(place.mails_to(kept.to)) < 2:
            assert time.monotonic() < ends
            page.wait_for_timeout(100)
        page.wait_for_timeout(2000)
        assert len(place.mails_to(kept.to)) == 2
