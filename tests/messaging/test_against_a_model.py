"""Whatever people do, in whatever order, each of them sees what a plain model of the rules says.

A Hypothesis state machine: one author and two recipients send, read, delete, restore, remove, recall, expire, extend,
undo and answer; after every step every mailbox is compared with the model.
"""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts.models import User
from messaging import access, drafts, expiry, folders, receipts, sending, undo
from messaging.drafts import DraftText
from messaging.models import MailboxEntry, Message
from messaging.recall import AlreadyRecalled, recall_for_recipient, recall_message
from messaging.replies import Answer
from portal.ids import uuid7
from portal.models import OutgoingMail
from tests.amounts import amount

INBOX, SENT, DELETED, REMOVED = "inbox", "sent", "deleted", "removed"


@dataclass
class Modelled:
    """What the rules say of one message."""

    message: Message
    author: User
    places: dict[User, str]  # where each holder's copy is; the author's too
    gone_from: set[User] = field(default_factory=set)  # recalled for them
    expired: bool = False
    recalled: bool = False

    def is_open_to(self, person: User) -> bool:
        if self.places.get(person, REMOVED) == REMOVED:
            return False
        return person == self.author or not (self.expired or person in self.gone_from)


class Mailboxes(RuleBasedStateMachine):
    author: User
    readers: list[User]

    def __init__(self) -> None:
        super().__init__()
        MailboxEntry.objects.all().delete()
        self.modelled: list[Modelled] = []

    messages = Bundle("messages")
    reader = st.sampled_from([0, 1])
    holder = st.sampled_from(["author", 0, 1])

    def _send(self, author: User, to: list[User], answer: Answer | None = None) -> Modelled:
        text = DraftText(to=", ".join(person.address for person in to), subject="S", body="<p>B</p>")
        saved = drafts.save_draft(actor=author, message_id=uuid7(), entry=None, text=text, answer=answer)
        sent = sending.send_draft(actor=author, entry=saved.entry)
        modelled = Modelled(sent.message, author, {author: SENT, **dict.fromkeys(to, INBOX)})
        self.modelled.append(modelled)
        return modelled

    # Few messages, so that much happens to each.
    @precondition(lambda self: len(self.modelled) < 2)
    @rule(target=messages, both=st.booleans())
    def send(self, both: bool) -> Modelled:
        return self._send(self.author, self.readers if both else self.readers[:1])

    @rule(modelled=messages, who=reader)
    def read(self, modelled: Modelled, who: int) -> None:
        person = self.readers[who]
        entry = self._entry(modelled, person)
        if entry is None:
            return
        try:
            opened = access.openable_entry(person, entry.id)
        except (access.Gone, access.Http404):
            assert not modelled.is_open_to(person)
            return
        receipts.record_opening(actor=person, entry=opened)

    @rule(
        modelled=messages, who=st.sampled_from(["author", 0, 1]), verb=st.sampled_from(["delete", "restore", "remove"])
    )
    def move(self, modelled: Modelled, who: str | int, verb: str) -> None:
        person = modelled.author if who == "author" else self.readers[int(who)]
        entry = self._entry(modelled, person)
        if entry is None:
            return
        getattr(folders, verb)(actor=person, entry_ids=[entry.id])
        place = modelled.places[person]
        if person in modelled.gone_from or place == REMOVED:
            return
        home = SENT if person == modelled.author else INBOX
        if verb == "delete":
            modelled.places[person] = DELETED
        elif place == DELETED:
            modelled.places[person] = home if verb == "restore" else REMOVED

    @rule(modelled=messages)
    def recall(self, modelled: Modelled) -> None:
        if modelled.recalled:
            with pytest.raises(AlreadyRecalled):
                recall_message(actor=modelled.author, message=modelled.message)
            return
        recall_message(actor=modelled.author, message=modelled.message)
        modelled.recalled = True
        modelled.gone_from |= set(modelled.places) - {modelled.author}

    @rule(modelled=messages, who=reader)
    def recall_for_one(self, modelled: Modelled, who: int) -> None:
        person = self.readers[who]
        recipient = modelled.message.recipients.filter(user=person).first()
        if recipient is None:
            return
        try:
            recall_for_recipient(actor=modelled.author, recipient=recipient)
            modelled.gone_from.add(person)
        except AlreadyRecalled:
            assert person in modelled.gone_from

    @rule(modelled=messages)
    def expire(self, modelled: Modelled) -> None:
        changed = expiry.expire_now(actor=modelled.author, message=modelled.message)
        assert changed == (not modelled.expired and not modelled.recalled)
        modelled.expired = modelled.expired or changed

    @rule(modelled=messages)
    def extend(self, modelled: Modelled) -> None:
        modelled.message.refresh_from_db()
        may = expiry.may_extend(modelled.message, timezone.now())
        until = timezone.now() + timedelta(days=100)
        try:
            expiry.extend_expiry(actor=modelled.author, message=modelled.message, until=until)
            assert may
        except expiry.NotExtended:
            assert not may

    @rule(modelled=messages)
    def undo_too_late(self, modelled: Modelled) -> None:
        entry = self._entry(modelled, modelled.author)
        if entry is not None:
            with pytest.raises(undo.TooLate):
                undo.undo_sending(actor=modelled.author, entry=entry)

    @precondition(lambda self: len(self.modelled) < 4)
    @rule(modelled=messages, who=reader)
    def answer(self, modelled: Modelled, who: int) -> None:
        person = self.readers[who]
        entry = self._entry(modelled, person)
        if entry is None or not modelled.is_open_to(person):
            return
        answered = Answer(access.openable_entry(person, entry.id), to_all=False)
        self._send(person, [modelled.author], answered)

    @invariant()
    def everybody_sees_what_the_model_says(self) -> None:
        for person in (self.author, *self.readers):
            for folder in (INBOX, SENT, DELETED):
                expected = {
                    str(modelled.message.id)
                    for modelled in self.modelled
                    if modelled.places.get(person) == folder and person not in modelled.gone_from
                }
                shown = {row.message for row in folders.page(person, folder).rows}
                assert shown == expected, (person.address, folder)

    @invariant()
    def only_who_may_open_holds_a_key(self) -> None:
        for modelled in self.modelled:
            for person in modelled.places:
                entry = self._entry(modelled, person)
                gone = person in modelled.gone_from or modelled.places[person] == REMOVED
                assert (entry is None or entry.wrapped_key is None) == gone

    @invariant()
    def no_mail_of_a_recalled_message_is_waiting(self) -> None:
        recalled = [modelled.message.id for modelled in self.modelled if modelled.recalled]
        waiting = OutgoingMail.objects.filter(
            kind="notification", state="due", about__in=MailboxEntry.objects.filter(message__in=recalled).values("id")
        )
        assert not waiting.exists()

    def _entry(self, modelled: Modelled, person: User) -> MailboxEntry | None:
        return (
            MailboxEntry.objects.filter(message=modelled.message, owner=person)
            .select_related("message__retention_key", "message__organization")
            .annotate(now=F("visible_at"))
            .first()
        )


def test_mailboxes_are_what_a_plain_model_says(sender, recipient, second_recipient):
    machine = type("Machine", (Mailboxes,), {"author": sender, "readers": [recipient, second_recipient]})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=amount(10),
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],  # what was found is short enough to read; shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
