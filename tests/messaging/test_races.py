"""Two people, or two windows, at the same moment: whatever happens is what some order one after the other would give.

Real threads on a real database; each thread has a connection of its own.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import Credential
from messaging import access, drafts, expiry, folders, receipts, sending, undo
from messaging.models import Definition, MailboxEntry, Message, Quote, Recipient
from messaging.recall import AlreadyRecalled, recall_for_recipient, recall_message
from messaging.replies import Answer
from portal import delivery, moments
from portal.ids import uuid7
from portal.models import AuditEvent, Organization, OutgoingMail, RetentionKey

from .conftest import BODY, SUBJECT, copy_of, file_named

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the actions in threads that start together; each one's result, or the exception it ended with."""
    barrier = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> object:
        try:
            barrier.wait()
            return action()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(run, actions))


def test_a_draft_sent_from_many_windows_is_sent_once(sender, recipient, write):
    entry = write(sender, to=recipient.address)

    def send():
        own = access.draft_entry(sender, entry.message_id)
        return sending.send_draft(actor=sender, entry=own) if own else drafts.AlreadySent()

    results = at_once(*[send] * 6)
    assert [type(result) for result in results if not isinstance(result, drafts.AlreadySent)] == [MailboxEntry]
    assert Recipient.objects.count() == 1
    assert OutgoingMail.objects.count() == 1
    assert AuditEvent.objects.filter(action="message.sent").count() == 1


def test_the_same_form_posted_at_once_makes_one_message(sender, recipient, log_in, write):
    write(sender)  # keys and definition exist
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send"}
    url = reverse("draft", args=["0198c5a0-0000-7000-8000-000000000001"])
    clients = [log_in(sender) for _ in range(4)]
    statuses = at_once(*[partial(_status, client, url, form) for client in clients])
    assert set(statuses) == {302}
    assert Message.objects.filter(sent_at__isnull=False).count() == 1
    assert MailboxEntry.objects.filter(owner=recipient).count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_so_does_a_form_with_a_file_that_every_reader_gets(round_, sender, recipient, log_in, write):
    write(sender)
    form = {"to": recipient.address, "subject": "s", "body": "b", "action": "send"}
    url = reverse("draft", args=[uuid7()])
    clients = [log_in(sender) for _ in range(4)]
    statuses = at_once(
        *[partial(_status, client, url, form | {"files": file_named("a.txt", b"a")}) for client in clients]
    )
    assert set(statuses) == {302}
    message = Message.objects.get(sent_at__isnull=False)
    reader, copy = log_in(recipient), copy_of(message, recipient)
    files = [reader.get(reverse("attachment", args=[copy.id, row.id])) for row in message.attachments.all()]
    assert {file.getvalue() for file in files} == {b"a"}


def _status(client, url, form) -> int:
    return client.post(url, form).status_code


def test_first_messages_of_a_month_share_its_key_and_the_default_definition(sender, recipient, send):
    results = at_once(*[lambda: send(sender, to=recipient.address)] * 5)
    assert all(isinstance(result, Message) for result in results), results
    assert RetentionKey.objects.count() == 1
    assert Definition.objects.filter(is_default=True).count() == 1


def test_parallel_messages_to_a_stranger_bring_one_user_and_one_temporary_password(sender, send):
    results = at_once(*[lambda: send(sender, to="new@unheard.example, other@unheard.example")] * 5)
    assert all(isinstance(result, Message) for result in results), results
    assert OutgoingMail.objects.filter(kind="password_notification").count() == 2
    assert OutgoingMail.objects.filter(kind="notification").count() == 10


def test_a_recall_wins_once(sender, recipient, send):
    message = send(sender, to=recipient.address)
    results = at_once(*[lambda: recall_message(actor=sender, message=message)] * 4)
    assert sum(isinstance(result, AlreadyRecalled) for result in results) == 3
    assert AuditEvent.objects.filter(action="message.recalled").count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_recall_against_reading_deleting_and_removing(round_, sender, recipient, second_recipient, send):
    message = send(sender, to=f"{recipient.address}, {second_recipient.address}")
    first, second = copy_of(message, recipient), copy_of(message, second_recipient)
    opened = access.openable_entry(recipient, first.id)
    results = at_once(
        lambda: recall_message(actor=sender, message=message),
        lambda: receipts.record_opening(actor=recipient, entry=opened),
        lambda: folders.delete(actor=second_recipient, entry_ids=[second.id]),
        lambda: folders.restore(actor=second_recipient, entry_ids=[second.id]),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert not MailboxEntry.objects.filter(kind="received", wrapped_key__isnull=False).exists()
    for person, entry in ((recipient, first), (second_recipient, second)):
        with pytest.raises(access.Gone):
            access.openable_entry(person, entry.id)


@pytest.mark.parametrize("round_", range(10))
def test_recall_for_one_against_their_reading(round_, sender, recipient, send):
    message = send(sender, to=recipient.address)
    entry = copy_of(message, recipient)
    opened = access.openable_entry(recipient, entry.id)
    row = Recipient.objects.get(message=message)
    results = at_once(
        lambda: recall_for_recipient(actor=sender, recipient=row),
        lambda: receipts.record_opening(actor=recipient, entry=opened),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    with pytest.raises(access.Gone):
        access.openable_entry(recipient, entry.id)


def take_back_by_undo(message):
    own = MailboxEntry.objects.get(message=message, owner=message.sender, kind="sent")
    return undo.undo_sending(actor=message.sender, entry=access.sent_entry(message.sender, own.id))


def take_back_by_recall(message):
    return recall_message(actor=message.sender, message=message)


def take_back_from_each(message):
    return [recall_for_recipient(actor=message.sender, recipient=row) for row in message.recipients.order_by("id")]


@pytest.mark.parametrize("take_back", [take_back_by_undo, take_back_by_recall, take_back_from_each])
def test_taking_back_against_one_of_its_recipients_who_writes(take_back, organization, make_user, sender, send, write):
    """To a newcomer who got the other message too, and comes before the writer in the order of their keys."""
    newcomer = make_user(organization, "newcomer@unheard.example", password=None)
    writer = make_user(organization, "writer@north.example", is_licensed=True)
    sender.organization.undo_seconds = 60
    for round_ in range(15):
        message = send(sender, to=f"{newcomer.address}, {writer.address}")
        entry = write(writer, to=f"new{round_}@other.example, {newcomer.address}")
        Credential.objects.update(expires_at=timezone.now())
        results = at_once(partial(take_back, message), partial(sending.send_draft, actor=writer, entry=entry))
        assert not [result for result in results if isinstance(result, Exception)]
        announced = OutgoingMail.objects.filter(kind="password_notification", state="due").values("about")
        assert Credential.objects.filter(id__in=announced, user=newcomer, withdrawn_at__isnull=True).count() == 1


@pytest.mark.parametrize("round_", range(5))
def test_deleted_many_times_at_once_it_comes_back_where_it_was(round_, sender, recipient, send):
    entry = copy_of(send(sender, to=recipient.address), recipient)
    results = at_once(*[lambda: folders.delete(actor=recipient, entry_ids=[entry.id])] * 4)
    assert not [result for result in results if isinstance(result, Exception)]
    folders.restore(actor=recipient, entry_ids=[entry.id])
    entry.refresh_from_db()
    assert (entry.folder, entry.deleted_from) == ("inbox", "")


@pytest.mark.parametrize("round_", range(5))
def test_recall_against_a_reply(round_, sender, recipient, write, send):
    """Either the answer was sent first and stands, or it was not sent and is still a draft."""
    message = send(sender, to=recipient.address)
    answer = write(recipient, answer=Answer(access.openable_entry(recipient, copy_of(message, recipient).id), False))
    recalled, sent = at_once(
        lambda: recall_message(actor=sender, message=message),
        lambda: sending.send_draft(actor=recipient, entry=access.draft_entry(recipient, answer.message_id)),
    )
    assert not isinstance(recalled, Exception)
    if isinstance(sent, MailboxEntry):
        assert copy_of(sent.message, sender).wrapped_key is not None
    else:
        assert isinstance(sent, sending.NotSent)
        assert "has been recalled" in sent.problems[0]
        assert access.draft_entry(recipient, answer.message_id) is not None


@pytest.mark.parametrize("round_", range(5))
def test_a_recall_that_destroys_quotes_against_answers_being_saved(round_, sender, recipient, colleague, send, write):
    """At any remove, by many at once: none keeps what was recalled, and nobody waits for each other for ever."""
    Organization.objects.update(recall_destroys_quotes=True)
    message = send(sender, to=f"{recipient.address}, {colleague.address}")
    answered = access.openable_entry(recipient, copy_of(message, recipient).id)
    reply = send(recipient, answer=Answer(answered, to_all=True))
    entries = {person: access.openable_entry(person, copy_of(reply, person).id) for person in (sender, colleague)}
    recalled, *saved = at_once(
        lambda: recall_message(actor=sender, message=Message.objects.get(id=message.id)),
        *[partial(write, person, answer=Answer(entry)) for person, entry in entries.items()] * 2,
    )
    assert not [result for result in (recalled, *saved) if isinstance(result, Exception)]
    assert Quote.objects.filter(source=message).count() == 5
    assert not Quote.objects.filter(source=message, content__isnull=False).exists()


def test_two_who_write_to_each_other_and_to_somebody_outside(organization, make_user, sender, recipient, write):
    other = make_user(organization, "other@north.example", is_licensed=True)
    for _round in range(5):
        drafts_of = {
            author: write(author, to=f"{reader.address}, {recipient.address}")
            for author, reader in ((sender, other), (other, sender))
        }
        results = at_once(*[partial(sending.send_draft, actor=who, entry=entry) for who, entry in drafts_of.items()])
        assert [type(result) for result in results] == [MailboxEntry, MailboxEntry]


@pytest.fixture
def sent_with_a_file(sender, recipient, log_in):
    """A message that may be downloaded, with an attachment."""
    file = BytesIO(BODY.encode())
    file.name = "results.txt"
    form = {"to": recipient.address, "subject": SUBJECT, "body": BODY, "action": "send", "files": file}
    log_in(sender).post(reverse("draft", args=[uuid7()]), form)
    Message.objects.update(may_download=True)
    return Message.objects.get()


@pytest.mark.parametrize("round_", range(12))
def test_recall_against_discarding_what_passes_it_on(round_, sent_with_a_file, sender, recipient, write):
    """Their quotes and their files, which the recall takes in an order of its own."""
    Message.objects.update(may_forward=True)
    passed_on = Answer(access.openable_entry(recipient, copy_of(sent_with_a_file, recipient).id), is_forward=True)
    entries = [write(recipient, answer=passed_on).id for _ in range(10)]
    results = at_once(
        lambda: recall_message(actor=sender, message=sent_with_a_file),
        lambda: folders.discard(actor=recipient, entry_ids=entries),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert not MailboxEntry.objects.filter(kind="draft").exists()


@pytest.mark.parametrize("view", ["message", "body", "attachment", "download", "print_sheet", "reply", "inbox"])
def test_nothing_that_is_asked_after_a_recalls_commit_holds_content(view, sent_with_a_file, sender, recipient, log_in):
    entry = copy_of(sent_with_a_file, recipient)
    file = [sent_with_a_file.attachments.get().id] if view == "attachment" else []
    url = reverse(view, args=[] if view == "inbox" else [entry.id, *file])
    committed, seen = threading.Event(), []

    def read() -> None:
        client = log_in(recipient)
        while sum(late for late, _content in seen) < 3:
            late = committed.is_set()
            seen.append((late, SUBJECT.encode() in (content := client.get(url).getvalue()) or BODY.encode() in content))

    def recall() -> None:
        while not seen:
            pass
        recall_message(actor=sender, message=sent_with_a_file)
        committed.set()

    results = at_once(read, recall)
    assert results == [None, None]
    assert seen[0] == (False, True), "there was something to see before"
    assert not any(content for late, content in seen if late)


@pytest.mark.parametrize("round_", range(3))
def test_recall_against_notifying(round_, sender, send, smtp):
    """What has not been marked sending when the recall is committed never leaves; what has is counted."""
    message = send(sender, to=", ".join(f"r{n}@outside.example" for n in range(12)))
    OutgoingMail.objects.exclude(kind="notification").delete()
    begun: set = set()

    def recall():
        while not smtp.messages:
            pass
        recalled = recall_message(actor=sender, message=message)
        begun.update(OutgoingMail.objects.exclude(state="cancelled").values_list("to_address", flat=True))
        return recalled

    recalled, *delivered = at_once(recall, delivery.deliver_due, delivery.deliver_due)
    assert not [result for result in (recalled, *delivered) if isinstance(result, Exception)]
    delivery.deliver_due()
    assert {mail["To"] for mail in smtp.messages} <= begun
    assert set(OutgoingMail.objects.values_list("state", flat=True)) <= {"sent", "cancelled"}
    assert OutgoingMail.objects.filter(state="cancelled").count() == recalled.notifications_stopped


@pytest.mark.parametrize("round_", range(5))
def test_recall_against_expiring(round_, sender, recipient, send):
    message = send(sender, to=recipient.address)
    recalled, expired = at_once(
        lambda: recall_message(actor=sender, message=message),
        lambda: expiry.expire_now(actor=sender, message=message),
    )
    assert not isinstance(recalled, Exception)
    message.refresh_from_db()
    assert message.is_recalled()
    # Expired first and then recalled, or recalled and then nothing left to expire.
    assert expired == message.is_expired(moments.now())
    assert AuditEvent.objects.filter(action="message.expired_by_sender").count() == int(expired)
    with pytest.raises(access.Gone, match="recalled"):
        access.openable_entry(recipient, copy_of(message, recipient).id)
