"""Mailboxes with very many messages, sealed as the portal seals them, written as quickly as PostgreSQL takes rows.

Runs in a process of its own, with the portal's settings: `python -m benchmarks.mailboxes KIND …` (see main).
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "securemsg.settings"

BATCH = 2_000
OTHERS = 500  # a message goes to as many at most
VACUUM = "VACUUM ANALYZE"
GROUPS = 20  # of so many, written to in turn
_SUBJECT = "About matter {} of this month"
_SENTENCE = "The {} of the matter you asked about is on its way to you. "


def main(kind: str, *numbers: str) -> None:
    import django

    django.setup()
    print(json.dumps(_KINDS[kind](*map(int, numbers))))


# --- People ---------------------------------------------------------------------------------------------------


def people() -> dict[str, str]:
    """An organisation, its people and who is outside; returns the cookies of those who read and send."""
    from django.core.management import call_command

    from accounts.models import Domain, User
    from portal import moments
    from portal.models import Organization

    call_command("migrate", verbosity=0)
    organization = Organization.objects.create(name="Benchmark", slug="benchmark", undo_seconds=0)
    inside = Domain.objects.create(organization=organization, name="inside.example", is_internal=True)
    outside = Domain.objects.create(organization=organization, name="outside.example")
    now = moments.now()

    def person(address: str, domain: Any, **fields: Any) -> User:
        user = User(organization=organization, domain=domain, address=address, password_set_at=now, **fields)
        user.set_unusable_password()
        user.password = "!" + address  # nobody logs in with a password here
        return user

    readers = [
        person(f"{name}@outside.example", outside, name=name.title()) for name in ("reader", "small", "searcher")
    ]
    senders = [person(f"sender{n}@inside.example", inside, name=f"Sender {n}", is_licensed=True) for n in range(20)]
    many = [person(f"r{n}@outside.example", outside, name=f"Recipient {n}") for n in range(GROUPS * OTHERS)]
    rare = [person(f"d{n}@outside.example", outside, notify=User.Notify.HOURLY) for n in range(GROUPS * OTHERS)]
    User.objects.bulk_create([*readers, *senders, *many, *rare], batch_size=2_000)
    _written_to(senders[0], [*many, *rare], now)
    return {user.address.partition("@")[0]: _cookies_of(user) for user in [*readers, senders[0]]}


def _written_to(sender: Any, people: list[Any], now: datetime) -> None:
    """The sender has a licence for them all, and has used it this month already."""
    from messaging import licences
    from messaging.models import BulkSenderPack, RecipientUse

    month = licences.month_of(sender, now)
    BulkSenderPack.objects.create(sender=sender, recipients=len(people), first_month=month)
    uses = (RecipientUse(sender=sender, month=month, address=user.address) for user in people)
    RecipientUse.objects.bulk_create(uses, batch_size=5_000)


def _cookies_of(user: Any) -> str:
    """Those of a browser that has been here before: a session's, and the forms' own."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    client.get("/inbox/")
    return "; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items())


# --- Mailboxes --------------------------------------------------------------------------------------------------


def mailbox(whose: str, count: int, body_bytes: int, unread: int) -> dict[str, str]:
    """So many received messages for a person, the newest `unread` of them unread; returns the ids of a few copies."""
    from portal import bulk

    ids: list[str] = []
    copies = _copies(whose, count, body_bytes, unread)
    while batch := list(islice(copies, BATCH)):
        for rows in zip(*batch, strict=True):  # messages, recipients, entries
            bulk.insert(list(rows))
        ids += [str(entry.id) for _message, _recipient, entry in batch]
    _analyse()
    return {"newest": ids[-1], "after_90000": ids[-90_000] if count > 90_000 else ids[count // 10]}


def _copies(whose: str, count: int, body_bytes: int, unread: int) -> Iterator[tuple[Any, Any, Any]]:
    """(message, recipient, entry), oldest first, sent over the last 25 days."""
    from accounts.models import User
    from messaging import sealing
    from messaging.models import MailboxEntry, Message, Recipient
    from portal import keyring, moments

    owner = User.objects.select_related("organization").get(address=f"{whose}@outside.example")
    senders = list(User.objects.filter(is_licensed=True))
    now = moments.now()
    month = keyring.retention_key_for(owner.organization, now)
    retention_key = keyring.open_retention_key(month)
    for number in range(count):
        at = now - timedelta(days=25) * (count - number) / count
        sender = senders[number % len(senders)]
        message = Message(organization=owner.organization, sender=sender, retention_key=month, sent_at=at)
        message.created_at = message.saved_at = at
        key = keyring.new_key()
        message.subject = sealing.seal_message_text(message, key, "subject", _SUBJECT.format(number))
        message.body = sealing.seal_message_text(message, key, "body", _body(number, body_bytes))
        recipient = Recipient(message=message, user=owner, role=Recipient.Role.TO, address=owner.address)
        is_read = number < count - unread
        recipient.read_at = at if is_read else None
        entry = MailboxEntry(
            owner=owner,
            message=message,
            recipient=recipient,
            kind=MailboxEntry.Kind.RECEIVED,
            folder=MailboxEntry.Folder.INBOX,
            visible_at=at,
            read_at=at if is_read else None,
        )
        sealing.wrap_for_entry(entry, key, retention_key)
        yield message, recipient, entry


def _body(number: int, size: int) -> str:
    text = "".join(f"<p>{_SENTENCE.format(number + n)}</p>" for n in range(size // 60))
    # The oldest message alone holds the word that search looks for.
    return ("<p>quicksilver</p>" if number == 0 else "") + text[:size]


def fill(copies: int) -> dict[str, int]:
    """Other people's copies until the table holds so many: ten of each message, spread over the year before now. What
    is in them opens for nobody; nobody opens it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM messaging_mailboxentry")
        missing = copies - cursor.fetchone()[0]
        if missing > 0:
            cursor.execute(_FILL_MESSAGES, {"messages": -(-missing // 10), "copies": missing})
            cursor.execute(_FILL_ENTRIES, {"copies": missing})
            cursor.execute("DROP TABLE filler")
    _analyse()
    return {"copies": copies}


# UUIDv7 of a moment, as portal/ids.py makes them.
ID = """(lpad(to_hex((extract(epoch FROM {at}) * 1000)::bigint), 12, '0')
    || '7' || lpad(to_hex({n} %% 4096), 3, '0') || substr(replace(gen_random_uuid()::text, '-', ''), 17))::uuid"""
_AT = "now() - interval '1 year' * (1 - {n}::float / {of})"
_FILL_MESSAGES = f"""
    CREATE TEMPORARY TABLE filler AS
    SELECT n AS number, {ID.format(at=_AT.format(n="n", of="%(messages)s"), n="n")} AS id
    FROM generate_series(1, %(messages)s) AS n;
    CREATE UNIQUE INDEX ON filler (number);
    INSERT INTO messaging_message (id, organization_id, sender_id, retention_key_id, subject, body, draft_recipients,
        revision, "window", created_at, saved_at, sent_at, extensions_used, may_reply, may_reply_all, may_forward,
        may_print, may_download, extensions, read_receipt)
    SELECT filler.id, organization.id, sender.id, key.id, '\\x01'::bytea || sha256(filler.id::text::bytea),
        '\\x01'::bytea || sha256(filler.id::text::bytea), '', 1, '', now(), now(), now() - interval '1 day', 0,
        true, true, false, true, false, 1, false
    FROM filler, portal_organization AS organization,
        (SELECT id FROM accounts_user WHERE address = 'sender1@inside.example') AS sender,
        (SELECT id FROM portal_retentionkey ORDER BY month DESC LIMIT 1) AS key
"""
_FILL_ENTRIES = f"""
    INSERT INTO messaging_mailboxentry (id, owner_id, message_id, kind, folder, deleted_from, visible_at, read_at,
        wrapped_key)
    SELECT {ID.format(at=_AT.format(n="n", of="%(copies)s"), n="n")}, owner.id, filler.id, 'received', 'inbox', '',
        now() - interval '1 day', CASE WHEN n %% 10 = 0 THEN NULL ELSE now() END,
        '\\x01'::bytea || sha256(n::text::bytea) || sha256((-n)::text::bytea)
    FROM generate_series(0, %(copies)s - 1) AS n
    JOIN filler ON filler.number = n / 10 + 1
    JOIN (SELECT id, row_number() OVER (ORDER BY address) - 1 AS place FROM accounts_user
          WHERE address LIKE 'r%%@outside.example' AND address NOT LIKE 'reader%%') AS owner
      ON owner.place = (n * 7 %% {OTHERS})
"""


def _analyse() -> dict[str, str]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(VACUUM)
    return {}


_KINDS: dict[str, Any] = {
    "people": people,
    "reader": lambda count, size, unread: mailbox("reader", count, size, unread),
    "small": lambda count, size, unread: mailbox("small", count, size, unread),
    "searcher": lambda count, size, unread: mailbox("searcher", count, size, unread),
    "fill": fill,
    "analyse": _analyse,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
