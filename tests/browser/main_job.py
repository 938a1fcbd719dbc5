"""What the portal is for, from the first letter to its recall, as the people on both sides do it.

Written once for both ways to run: a place says where the portal is and how to see the mail that left it.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Page, expect

from . import steps

UNDO_SECONDS = 10
ATTACHMENT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Place:
    login_url: str
    sender: str
    password: str
    mails_to: Callable[[str], list[EmailMessage]]


@dataclass(frozen=True)
class Letter:
    """What is written; each of the words stands nowhere else, and is looked for everywhere afterwards."""

    to: str
    subject: str
    body: str
    answer: str
    file: Path
    word_in_file: str

    @property
    def words(self) -> list[str]:
        return [self.subject, self.body, self.answer, self.file.stem, self.word_in_file]


def letter(folder: Path, name: str) -> Letter:
    """To an address the portal has never seen, with 20 MB of noise in which a word stands at three places."""
    word = f"canary-in-the-file-of-{name}"
    third = os.urandom(ATTACHMENT_BYTES // 3)
    file = folder / f"findings-of-{name}.bin"
    file.write_bytes(word.encode() + third + word.encode() + third + third + word.encode())
    return Letter(
        to=f"newcomer@{name}.example",
        subject=f"Subject quokka {name}",
        body=f"Body wombat {name} and nobody else",
        answer=f"Answer numbat {name} and nobody else",
        file=file,
        word_in_file=word,
    )


@dataclass
class MainJob:
    """Its parts, in the order in which they are called."""

    place: Place
    letter: Letter
    open_window: Callable[[], Page]

    def go(self) -> None:
        self.sender, self.recipient = self.open_window(), self.open_window()
        self.send()
        self.mails_arrive()
        self.first_visit()
        self.read()
        self.answer()
        self.sender_sees_what_became_of_it()
        self.recall()
        self.everything_is_gone_for_the_recipient()
        self.answers_stay()

    def send(self) -> None:
        self.sender.goto(self.place.login_url)
        steps.log_in(self.sender, self.place.sender, self.place.password)
        steps.write(self.sender, to=self.letter.to, subject=self.letter.subject, body=self.letter.body)
        steps.attach(self.sender, self.letter.file)
        steps.send(self.sender, confirm=True)
        self.sent_at = time.monotonic()

    def mails_arrive(self) -> None:
        """Two of them, and not while the sending can still be undone."""
        while len(mails := self.place.mails_to(self.letter.to)) < 2:
            assert time.monotonic() - self.sent_at < UNDO_SECONDS + 20, "two mails were to arrive"
            assert not mails or time.monotonic() - self.sent_at > UNDO_SECONDS - 1
            self.sender.wait_for_timeout(100)
        assert time.monotonic() - self.sent_at > UNDO_SECONDS - 1
        by_subject = {str(mail["Subject"]).partition(": ")[2]: mail for mail in mails}
        assert set(by_subject) == {"Secure Messaging Notification", "Secure Messaging Password Notification"}
        self.link = steps.link_in(by_subject["Secure Messaging Notification"])
        self.temporary_password = steps.temporary_password_in(by_subject["Secure Messaging Password Notification"])
        assert self.temporary_password not in steps.plain(by_subject["Secure Messaging Notification"])

    def first_visit(self) -> None:
        self.recipient.goto(self.link)
        steps.log_in(self.recipient, self.letter.to, self.temporary_password)
        expect(self.recipient.get_by_role("heading", name="Set your password")).to_be_visible()
        steps.set_password(self.recipient, steps.OWN_PASSWORD, too_short="short")

    def read(self) -> None:
        expect(self.recipient.get_by_role("heading", name=self.letter.subject)).to_be_visible()
        self.url = self.recipient.url
        assert self.letter.body in steps.text_of_message(self.recipient)
        assert steps.digest_of_download(self.recipient, self.letter.file.name) == steps.digest(self.letter.file)
        assert self.letter.subject not in self.recipient.title(), "titles end up in the browser's history"

    def answer(self) -> None:
        self.recipient.get_by_role("link", name="Reply All").click()
        expect(self.recipient.get_by_text(self.letter.body)).to_be_visible()
        steps.write_body(self.recipient, self.letter.answer)
        steps.send(self.recipient)

    def sender_sees_what_became_of_it(self) -> None:
        steps.open_message(self.sender, "Sent Items", self.letter.subject)
        history = self.sender.get_by_role("region", name="What has become of it")
        for step in ("Notified", "First logged in", "Read", "Answered"):
            expect(history.get_by_role("listitem").filter(has_text=re.compile(f"^{step} .*\\d"))).to_be_visible()

    def recall(self) -> None:
        self.sender.get_by_role("link", name="Recall Message").click()
        expect(self.sender.get_by_text("1 recipient has already read it")).to_be_visible()
        self.sender.get_by_role("button", name="Recall").click()
        expect(self.sender.get_by_text("Recalled. The message is gone from 1 mailbox.")).to_be_visible()
        assert self.letter.body in steps.text_of_message(self.sender), "its author keeps it"

    def everything_is_gone_for_the_recipient(self) -> None:
        """At once, in the very window that had it open."""
        page = self.recipient
        for url in (self.url, self.link):
            page.goto(url)
            expect(page.get_by_role("heading", name="This message was recalled")).to_be_visible()
            expect(page.get_by_text(self.letter.subject)).to_have_count(0)
        for part in ("body/", "reply/", "reply-all/"):
            page.goto(self.url + part)
            expect(page.get_by_text(self.letter.body)).to_have_count(0)
        page.goto(self.url)
        page.get_by_role("link", name="Inbox", exact=True).click()
        expect(page.get_by_text(self.letter.subject)).to_have_count(0)

    def answers_stay(self) -> None:
        """The recipient's own, in Sent Items; the sender's copy, in Inbox once its undo window has passed."""
        steps.open_message(self.recipient, "Sent Items", self.letter.subject)
        assert self.letter.answer in steps.text_of_message(self.recipient)
        row = self.sender.get_by_role("link", name=self.letter.subject)
        for _ in range(UNDO_SECONDS + 5):
            self.sender.get_by_role("link", name=re.compile("^Inbox")).click()
            if row.count():
                break
            self.sender.wait_for_timeout(1000)
        row.first.click()
        text = steps.text_of_message(self.sender)
        assert self.letter.answer in text
        assert self.letter.body in text, "the quoted original stays in the answer"
