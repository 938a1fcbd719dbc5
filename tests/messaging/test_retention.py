"""Retention: what is due is destroyed, keys first, whatever happens in between; what is not due stays whole."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from messaging import access, attachments, drafts, retention, sealed_files, tasks
from messaging.drafts import DraftText
from messaging.models import Attachment, AttachmentFetch, MailboxEntry, Message, Quote, Recipient
from messaging.replies import Answer
from messaging.sealed_files import SealedWriter
from messaging.uploads import SealedUpload
from portal import audit, keyring
from portal.keyring import SealBroken
from portal.models import AuditEvent, RetentionKey

from .conftest import BODY, SUBJECT, copy_of


def age(message: Message, days: float) -> None:
    """Let so many days pass for this message."""
    Message.objects.filter(id=message.id).update(
        sent_at=F("sent_at") - timedelta(days=days), saved_at=F("saved_at") - timedelta(days=days)
    )


def upload(content: bytes = b"content", name: str = "report.pdf") -> SealedUpload:
    received = SealedUpload(name, "application/pdf")
    writer = SealedWriter(received.file_id, received.key)
    writer.write(content)
    writer.finish()
    received.size = writer.size
    return received


@pytest.fixture
def due(organization, sender, recipient, second_recipient, send):
    """A message with everything a message can have, a moment past its retention."""
    message = send(
        sender, to=recipient.address, cc=f"{second_recipient.address}, {sender.address}", uploads=[upload(), upload()]
    )
    age(message, organization.retention_days)
    return message


def assert_nothing_is_left(message: Message) -> None:
    message.refresh_from_db()
    assert message.purged_at is not None
    assert (bytes(message.subject), bytes(message.body), bytes(message.draft_recipients)) == (b"", b"", b"")
    entries = MailboxEntry.objects.filter(message=message)
    assert entries
    assert all(entry.wrapped_key is None and entry.removed_at is not None for entry in entries)
    assert not Attachment.objects.filter(message=message).exists()
    assert not Quote.objects.filter(message=message).exists()
    assert AuditEvent.objects.filter(action="message.purged", about=message.id).count() == 1


# --- What is due, and what is not --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_is_due_is_destroyed_and_its_history_stays(due, sender, recipient, log_in):
    files = [sealed_files.path_of(row.file_id) for row in due.attachments.all()]
    row = due.attachments.first()
    entry = copy_of(due, recipient)
    client = log_in(recipient)
    client.get(reverse("message", args=[entry.id]))
    client.get(reverse("attachment", args=[entry.id, row.id]))
    assert AttachmentFetch.objects.count() == 1
    assert retention.purge_due() == 1
    assert_nothing_is_left(due)
    assert not any(path.exists() for path in files)
    history = Recipient.objects.get(message=due, user=recipient)
    assert history.read_at is not None
    assert history.fetches.get().attachment is None
    assert Recipient.objects.filter(message=due).count() == 3
    assert retention.purge_due() == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_not_due_stays_whole(organization, sender, recipient, send):
    message = send(sender, to=recipient.address, uploads=[upload()])
    age(message, organization.retention_days - 0.001)
    assert retention.purge_due() == 0
    entry = access.openable_entry(recipient, copy_of(message, recipient).id)
    assert entry.message.purged_at is None
    assert sealed_files.path_of(message.attachments.get().file_id).exists()


def test_the_setting_as_it_stands_decides_and_changing_it_rewrites_nothing(organization, sender, recipient, send):
    message = send(sender, to=recipient.address)
    age(message, 100)
    before = Message.objects.values().get(id=message.id)
    organization.retention_days = 101
    organization.save()
    assert retention.purge_due() == 0
    assert Message.objects.values().get(id=message.id) == before
    organization.retention_days = 100
    organization.save()
    assert Message.objects.values().get(id=message.id) == before
    assert retention.purge_due() == 1


def test_each_organisation_has_its_own(organization, other_organization, sender, recipient, send, make_user):
    southerner = make_user(other_organization, "writer@south.example", is_licensed=True)
    here, there = send(sender, to=recipient.address), send(southerner, to="somebody@outside.example")
    organization.retention_days = 10
    organization.save()
    for message in (here, there):
        age(message, 20)
    assert retention.purge_due() == 1
    assert_nothing_is_left(here)
    there.refresh_from_db()
    assert there.purged_at is None


# --- What people see of it ----------------------------------------------------------------------------------------


def test_folders_hold_nothing_and_links_say_that_it_no_longer_exists(due, sender, recipient, log_in):
    client = log_in(recipient)
    entry = copy_of(due, recipient)
    client.post(reverse("delete"), {"entry": str(entry.id)})
    own = MailboxEntry.objects.get(message=due, owner=sender, kind="sent")
    retention.purge_due()
    for folder in ("inbox", "sent", "deleted"):
        assert client.get(reverse(folder)).context["rows"] == []
        assert log_in(sender).get(reverse(folder)).context["rows"] == []
    page = client.get(reverse("arrive", args=[entry.id]), follow=True)
    assert page.status_code == 410
    assert "no longer exists" in page.text
    assert log_in(sender).get(reverse("message", args=[own.id])).status_code == 410
    for name in ("recall", "extend", "reply", "forward"):
        assert log_in(sender).get(reverse(name, args=[own.id])).status_code == 410
    assert client.post(reverse("restore"), {"entry": str(entry.id)}, follow=True).context["rows"] == []


def test_an_expired_message_is_purged_too_and_a_recalled_one_stays_recalled(
    organization, sender, recipient, send, log_in
):
    from messaging.recall import recall_message

    expired, recalled = send(sender, to=recipient.address), send(sender, to=recipient.address)
    Message.objects.filter(id=expired.id).update(expires_at=timezone.now() - timedelta(days=1))
    recall_message(actor=sender, message=recalled)
    for message in (expired, recalled):
        age(message, organization.retention_days)
    assert retention.purge_due() == 2
    client = log_in(recipient)
    assert client.get(reverse("message", args=[copy_of(expired, recipient).id])).context["reason"] == "purged"
    assert client.get(reverse("message", args=[copy_of(recalled, recipient).id])).context["reason"] == "recalled"


# --- What it touches beside ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL answers before the disk does")
def test_only_the_step_after_which_files_go_waits_for_the_disk(due):
    """What a crash brings back of keys and texts is due again; a row that it brought back would miss its file."""
    waits: dict[str, str] = {}

    def watched(execute, sql, params, many, context):
        verb, _, rest = sql.partition(" ")
        if verb in ("UPDATE", "DELETE") and connection.in_atomic_block:
            execute("SHOW synchronous_commit", None, False, context)
            waits[f"{verb} {rest.removeprefix('FROM ').split()[0]}"] = context["cursor"].fetchone()[0]
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watched):
        assert retention.purge_due() == 1
    assert waits['UPDATE "messaging_mailboxentry"'] == "off"
    assert waits['DELETE "messaging_attachment"'] == "on"
    assert waits['UPDATE "messaging_message"'] == "off"
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


@pytest.fixture
def forwarded(due, sender, write):
    """A draft of the sender's that forwards it, made before it was due."""
    entry = access.openable_entry(sender, MailboxEntry.objects.get(message=due, owner=sender, kind="sent").id)
    return write(sender, answer=Answer(entry, is_forward=True))


@pytest.mark.django_db(transaction=True)
def test_a_forward_keeps_the_files_it_shares_and_what_it_quotes(due, forwarded):
    (first, second) = [row.file_id for row in due.attachments.all()]
    forwarded.message.attachments.get(file_id=second).delete()
    assert retention.purge_due() == 1
    assert_nothing_is_left(due)
    assert sealed_files.path_of(first).exists()
    assert not sealed_files.path_of(second).exists()
    key = drafts.sealing.open_message_key(MailboxEntry.objects.get(id=forwarded.id))
    row = forwarded.message.attachments.get()
    assert b"".join(attachments.open_attachment(row, key)) == b"content"
    assert forwarded.message.quotes.get().content is not None


@pytest.mark.django_db(transaction=True)
def test_the_last_of_those_who_share_a_file_takes_it_along(organization, due, forwarded, sender, recipient):
    from messaging import sending

    draft = access.draft_entry(sender, forwarded.message_id)
    drafts.save_draft(
        actor=sender, message_id=draft.message_id, entry=draft, text=DraftText(to=recipient.address, subject="Fwd")
    )
    forward = sending.send_draft(actor=sender, entry=access.draft_entry(sender, forwarded.message_id)).message
    files = [sealed_files.path_of(row.file_id) for row in due.attachments.all()]
    assert retention.purge_due() == 1
    assert all(path.exists() for path in files)
    age(forward, organization.retention_days)
    assert retention.purge_due() == 1
    assert_nothing_is_left(forward)
    assert not any(path.exists() for path in files)


def test_the_audit_chain_holds(organization, due):
    retention.purge_due()
    audit.link_all()
    assert audit.verify(organization).intact


# --- Interrupted, and twice at once --------------------------------------------------------------------------------


class Killed(Exception):
    pass


def killed(*args, **kwargs):
    raise Killed


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "where", ["_destroy_some_files", "_empty", "audit.record_each", "attachments.remove_files_on_commit"]
)
def test_whoever_comes_after_a_kill_goes_on(where, due, recipient, monkeypatch):
    files = [sealed_files.path_of(row.file_id) for row in due.attachments.all()]
    with monkeypatch.context() as broken:
        broken.setattr(f"messaging.retention.{where}", killed)
        with pytest.raises(Killed):
            retention.purge_due()
    # Keys first: wherever it was, nothing can be read any more.
    assert not MailboxEntry.objects.filter(message=due, wrapped_key__isnull=False).exists()
    with pytest.raises(SealBroken):
        drafts.sealing.open_message_key(copy_of(due, recipient))
    with pytest.raises(access.Gone):
        access.openable_entry(recipient, copy_of(due, recipient).id)
    assert retention.purge_due() == 1
    assert_nothing_is_left(due)
    assert not any(path.exists() for path in files)


@pytest.mark.django_db(transaction=True)
def test_files_left_by_a_kill_after_the_commit_are_collected(due, monkeypatch):
    files = [sealed_files.path_of(row.file_id) for row in due.attachments.all()]
    with monkeypatch.context() as broken:
        broken.setattr("messaging.sealed_files.remove", killed)
        with pytest.raises(Killed):
            retention.purge_due()
    assert all(path.exists() for path in files)
    retention.purge_due()
    assert_nothing_is_left(due)
    for path in files:
        os.utime(path, (0, 0))
    attachments.collect_orphans()
    assert not any(path.exists() for path in files)


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_destroy_everything_once(organization, sender, recipient, second_recipient, send):
    messages = [send(sender, to=f"{recipient.address}, {second_recipient.address}") for _ in range(30)]
    for message in messages:
        age(message, organization.retention_days)
    barrier = threading.Barrier(3)

    def clock(_) -> int:
        try:
            barrier.wait()
            return retention.purge_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        purged = sum(pool.map(clock, range(3)))
    purged += retention.purge_due()  # what one skipped because another held it
    assert purged == 30
    for message in messages:
        assert_nothing_is_left(message)


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_for_the_next_time(due, sender, recipient):
    """A reader who opens it at this moment, say."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    from django.db import transaction

    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                MailboxEntry.objects.select_for_update().get(id=copy_of(due, recipient).id)
                held.set()
                done.wait(10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    assert retention.purge_due() == 0
    assert MailboxEntry.objects.filter(message=due, wrapped_key__isnull=False).count() == 1
    done.set()
    holder.join()
    assert retention.purge_due() == 1
    assert_nothing_is_left(due)


# --- Drafts ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_draft_nobody_has_saved_for_so_long_is_destroyed(organization, sender, write):
    old, kept = write(sender, uploads=[upload()]).message, write(sender).message
    path = sealed_files.path_of(old.attachments.get().file_id)
    age(old, organization.retention_days)
    age(kept, organization.retention_days - 0.001)
    assert retention.purge_due() == 0
    assert retention.purge_old_drafts() == 1
    assert list(Message.objects.all()) == [kept]
    assert not path.exists()
    assert AuditEvent.objects.filter(action="draft.purged", about=old.id).count() == 1


def test_saving_makes_a_draft_new_again(organization, sender, write):
    entry = write(sender)
    age(entry.message, organization.retention_days)
    entry = access.draft_entry(sender, entry.message_id)
    drafts.save_draft(actor=sender, message_id=entry.message_id, entry=entry, text=DraftText(subject="New"))
    assert retention.purge_old_drafts() == 0


def test_a_draft_that_does_not_go_keeps_nothing_else(organization, old_month, sender, write):
    broken, old = write(sender).message, write(sender).message
    age(broken, organization.retention_days + 1)
    age(old, organization.retention_days)
    MailboxEntry.objects.filter(message=broken).delete()
    tasks.destroy_ended_keys()
    assert Message.objects.get() == broken
    old_month.refresh_from_db()
    assert old_month.destroyed_at is not None


def put_into_month(entry: MailboxEntry, month) -> None:
    """As if the draft had been written then."""
    key = drafts.sealing.open_message_key(MailboxEntry.objects.get(id=entry.id))
    entry.message.retention_key = keyring.retention_key_for(entry.owner.organization, month)
    entry.message.save()
    drafts.sealing.wrap_for_entry(entry, key, keyring.open_retention_key(entry.message.retention_key))
    entry.save()


def test_a_draft_moves_to_the_month_in_which_it_is_written(sender, write):
    entry = write(sender, subject="Old words", uploads=[upload()])
    then = timezone.now() - timedelta(days=62)
    put_into_month(entry, then)
    before, same = (access.draft_entry(sender, entry.message_id) for _ in range(2))
    text = DraftText(subject="New words")
    for window in (before, same):  # the second was looked up before the first was saved
        drafts.save_draft(actor=sender, message_id=entry.message_id, entry=window, text=text)
        stored = access.draft_entry(sender, entry.message_id)
        assert stored.message.retention_key.month == timezone.now().date().replace(day=1)
        assert drafts.open_draft(stored).subject == "New words"
        key = drafts.sealing.open_message_key(stored)
        assert [file.name for file in attachments.listed(stored.message, key)] == ["report.pdf"]


# --- Retention keys ---------------------------------------------------------------------------------------------------


@pytest.fixture
def old_month(organization):
    return keyring.retention_key_for(organization, timezone.now() - timedelta(days=62))


def test_the_key_of_a_month_is_destroyed_with_its_last_message(organization, old_month, sender, recipient, send):
    messages = [send(sender, to=recipient.address) for _ in range(2)]
    Message.objects.update(retention_key=old_month)
    for message in messages:
        assert retention.destroy_ended_keys() == 0
        age(message, organization.retention_days)
        assert retention.purge_due() == 1
    assert retention.destroy_ended_keys() == 1
    old_month.refresh_from_db()
    assert (old_month.wrapped_key, old_month.destroyed_at is None) == (None, False)
    event = AuditEvent.objects.get(action="retention_key.destroyed")
    assert (event.about, event.details) == (old_month.id, {"month": f"{old_month.month:%Y-%m}"})
    assert retention.destroy_ended_keys() == 0


def test_never_while_a_draft_hangs_on_it(organization, old_month, sender, write):
    entry = write(sender)
    put_into_month(entry, timezone.now() - timedelta(days=62))
    assert retention.destroy_ended_keys() == 0
    age(entry.message, organization.retention_days)
    assert retention.purge_old_drafts() == 1
    assert retention.destroy_ended_keys() == 1


def test_never_the_key_of_a_month_that_is_not_over(organization, other_organization):
    now = timezone.now()
    current = keyring.retention_key_for(organization, now)
    elsewhere = keyring.retention_key_for(other_organization, now - timedelta(days=62))
    assert retention.destroy_ended_keys() == 1
    assert RetentionKey.objects.get(destroyed_at__isnull=True) == current
    assert RetentionKey.objects.get(destroyed_at__isnull=False) == elsewhere


def test_a_kill_while_a_key_is_destroyed_leaves_all_or_nothing(old_month, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("messaging.retention.audit.record", killed)
        with pytest.raises(Killed):
            retention.destroy_ended_keys()
    old_month.refresh_from_db()
    assert old_month.wrapped_key is not None
    assert retention.destroy_ended_keys() == 1


@pytest.mark.django_db(transaction=True)
def test_organisations_have_their_turns(sender, stranger, other_organization, make_user, send, monkeypatch):
    monkeypatch.setattr(retention._messages, "most", 1)
    other_sender = make_user(other_organization, "sender@south.example", is_licensed=True)
    for somebody in (sender, other_sender):
        for _ in range(3):
            age(send(somebody, to="first@outside.example"), somebody.organization.retention_days)
    assert retention.purge_due() == 6
    purged = AuditEvent.objects.filter(action="message.purged").order_by("id")
    turns = list(purged.values_list("organization", flat=True))
    assert turns[::2] != turns[1::2]
    assert len(set(turns[::2])) == len(set(turns[1::2])) == 1


# --- Small transactions ---------------------------------------------------------------------------------------------


@pytest.fixture
def row_by_row():
    """PostgreSQL plans as it does for tables it knows little of: a subquery is run again for each row."""
    ways = ("hashjoin", "mergejoin", "hashagg", "sort", "material", "indexscan", "bitmapscan")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("".join(f"SET enable_{way} = off;" for way in ways))
            yield
            cursor.execute("".join(f"RESET enable_{way};" for way in ways))
    else:
        yield


@pytest.mark.django_db(transaction=True)
def test_no_transaction_destroys_more_than_its_share(organization, sender, send, monkeypatch, row_by_row):
    everybody = ", ".join(f"r{n}@outside.example" for n in range(30))
    message = send(sender, to=everybody, uploads=[upload() for _ in range(12)])
    age(message, organization.retention_days)
    monkeypatch.setattr(retention._keys, "most", 10)
    monkeypatch.setattr(retention._files, "most", 10)
    left = {MailboxEntry.objects.filter(wrapped_key__isnull=False): [31], Attachment.objects.all(): [12]}

    def counting(step):
        def stepped(due):
            answer = step(due)
            for rows, counts in left.items():
                counts.append(rows.count())
            return answer

        return stepped

    for name in ("_destroy_some_keys", "_destroy_some_files"):
        monkeypatch.setattr(retention, name, counting(getattr(retention, name)))
    assert retention.purge_due() == 1
    for counts in left.values():
        assert max(before - after for before, after in pairwise(counts)) <= 10
        assert counts[-1] == 0
    assert_nothing_is_left(message)


def test_many_copies_and_files_take_no_more_statements_than_few(organization, sender, send):
    counts = []
    for people in (2, 20):
        everybody = ", ".join(f"r{n}@outside.example" for n in range(people))
        age(send(sender, to=everybody, uploads=[upload() for _ in range(people)]), organization.retention_days)
        with CaptureQueriesContext(connection) as queries:
            assert retention.purge_due() == 1
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_no_round_asks_for_more_than_the_one_before(organization, sender, recipient, send, monkeypatch):
    for _ in range(4):
        age(send(sender, to=recipient.address), organization.retention_days)
    monkeypatch.setattr(retention._messages, "most", 1)
    with CaptureQueriesContext(connection) as queries:
        assert retention.purge_due() == 4
    rounds = [query["sql"].count('"sent_at" >=') for query in queries if "LENGTH(" in query["sql"]]
    assert rounds == [0, 1, 1, 1, 1]


def test_the_subject_and_body_are_not_in_the_database_file_any_more(due):
    retention.purge_due()
    message = Message.objects.get(id=due.id)
    for secret in (SUBJECT, BODY):
        assert secret.encode() not in bytes(message.subject) + bytes(message.body)
