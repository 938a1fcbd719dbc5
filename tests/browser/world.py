"""An organisation in which everything that a page can show has happened; each part is made when first asked for."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from io import BytesIO

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import credentials
from accounts.models import User
from messaging.models import MailboxEntry, Message
from messaging.recall import recall_message
from portal.ids import uuid7

LETTER = """<p>Dear Patient,</p><p>your <b>results</b> are in. <i>Nothing</i> needs to be done.</p>
<ul><li>Blood: in order</li><li>Heart: in order</li></ul>
<table border="1"><tr><th>Date</th><td bgcolor="#ffff00">24 November</td></tr></table>
<blockquote>As discussed</blockquote><p><a href="https://example.org/">Further reading</a></p>"""


@dataclass
class World:
    sender: User
    recipient: User
    second_recipient: User

    def client(self, user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    def save(self, author: User, *, action: str, answers: MailboxEntry | None = None, **fields: object) -> Message:
        """What the author's compose page sends; the message or draft it became."""
        message_id = uuid7()
        form = {
            "to": self.recipient.address,
            "subject": "Your results",
            "body": LETTER,
            "body_format": "html",
            "action": action,
            **fields,
        }
        if answers:
            form |= {"answers": answers.id, "to_all": "True"}
        answer = self.client(author).post(reverse("draft", args=[message_id]), form)
        assert answer.status_code == 302, answer.content.decode()
        return Message.objects.get(id=message_id)

    def file(self, name: str, size: int) -> BytesIO:
        file = BytesIO(bytes(size))
        file.name = name
        return file

    @cached_property
    def message(self) -> Message:
        """Read by its recipient, not by the others, and answered."""
        message = self.save(
            self.sender,
            action="send",
            cc=self.second_recipient.address,
            bcc="third@elsewhere.example",
            files=[self.file("Findings of the day.pdf", 250_000), self.file("picture.png", 3_000)],
        )
        self.client(self.recipient).get(reverse("message", args=[self.copy(message, self.recipient)]))
        return message

    @cached_property
    def answer(self) -> Message:
        original = MailboxEntry.objects.get(message=self.message, owner=self.recipient)
        return self.save(
            self.recipient, action="send", answers=original, subject="Re: Your results", body="<p>Thanks!</p>"
        )

    @cached_property
    def unread(self) -> Message:
        return self.save(self.sender, action="send", subject="The next appointment and how to get there")

    @cached_property
    def draft(self) -> Message:
        return self.save(
            self.sender, action="save", subject="Not finished", files=[self.file("Findings of the day.pdf", 250_000)]
        )

    @cached_property
    def recalled(self) -> Message:
        message = self.save(self.sender, action="send", subject="Sent by mistake")
        recall_message(actor=self.sender, message=message)
        return message

    @cached_property
    def expired(self) -> Message:
        message = self.save(self.sender, action="send", subject="Only for a day")
        Message.objects.filter(id=message.id).update(expires_at=timezone.now() - timedelta(hours=1))
        return message

    @cached_property
    def deleted(self) -> Message:
        message = self.save(self.sender, action="send", subject="Read and done with")
        for owner in (self.sender, self.recipient):
            self.client(owner).post(reverse("delete"), {"entry": self.copy(message, owner)})
        return message

    @cached_property
    def everything(self) -> list[Message]:
        return [self.message, self.answer, self.unread, self.draft, self.recalled, self.expired, self.deleted]

    @cached_property
    def many(self) -> list[Message]:
        """More than a page shows."""
        return [self.save(self.sender, action="send", subject=f"Letter {number}") for number in range(26)]

    @cached_property
    def link_to_reset(self) -> str:
        token = credentials.link_token(credentials.for_reset(self.recipient).pk)
        return reverse("reset_link", args=[self.recipient.organization.slug, token])

    def copy(self, message: Message, owner: User) -> str:
        return str(MailboxEntry.objects.get(message=message, owner=owner).id)
