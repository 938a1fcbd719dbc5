"""What is due for purging, the portal's way of destroying it, and the bare one: `python -m benchmarks.purging KIND …`.

Runs in a process of its own, with the portal's settings. `fill COPIES` writes messages that are past their retention,
ten copies of each; `left` counts what there is of them. `portal` lets the portal purge for as many seconds as each line
of its input says, and prints what it did; `bare` deletes: as many messages a round, as many rows a transaction.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "securemsg.settings"

from .mailboxes import ID, OTHERS, VACUUM

COPIES = 10  # of a message: its author's, and those of nine others
_BODY_BYTES, _FILE_BYTES = 4096, 1000


def main(kind: str, *numbers: str) -> None:
    import django

    django.setup()
    match kind:
        case "fill":
            print(json.dumps(fill(int(numbers[0]))))
        case "left":
            print(json.dumps(left()))
        case "portal":
            portal()
        case "bare":
            bare()


# --- What is due ------------------------------------------------------------------------------------------------


def fill(copies: int) -> dict[str, int]:
    """Each message has a body, an attachment with its file, and nine recipients who read it, of whom three fetched."""
    from django.db import connection

    sealed = b"\x01" + os.urandom(_BODY_BYTES)
    messages = copies // COPIES
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, {"messages": messages, "copies": copies, "sealed": sealed})
        cursor.execute("SELECT file_id FROM messaging_attachment")
        files = cursor.fetchall()
        cursor.execute(VACUUM)
    for (file_id,) in files:
        _write_file(file_id, sealed[:_FILE_BYTES])
    return {"messages": messages, "files": len(files)}


def _write_file(file_id: Any, sealed: bytes) -> None:
    from messaging import sealed_files

    path = sealed_files.path_of(file_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sealed)


# From two years back to one and a bit.
_PAST = "now() - interval '1 day' * (730 - 300 * {n}::float / {of})"
_FILL = [
    f"""
    CREATE TEMPORARY TABLE old AS
    SELECT n AS number, {ID.format(at=_PAST.format(n="n", of="%(messages)s"), n="n")} AS id,
        {_PAST.format(n="n", of="%(messages)s")} AS at
    FROM generate_series(0, %(messages)s - 1) AS n;
    CREATE UNIQUE INDEX ON old (number);
    ANALYZE old
    """,
    """
    INSERT INTO messaging_message (id, organization_id, sender_id, retention_key_id, subject, body, draft_recipients,
        revision, "window", created_at, saved_at, sent_at, extensions_used, may_reply, may_reply_all, may_forward,
        may_print, may_download, extensions, read_receipt)
    SELECT old.id, sender.organization_id, sender.id, key.id, substr(%(sealed)s, 1, 60), %(sealed)s, '', 1, '', at, at,
        at, 0, true, true, false, true, false, 1, false
    FROM old, (SELECT id, organization_id FROM accounts_user WHERE address = 'sender1@inside.example') AS sender,
        (SELECT id FROM portal_retentionkey ORDER BY month LIMIT 1) AS key
    ORDER BY number
    """,
    f"""
    CREATE TEMPORARY TABLE copy AS
    SELECT old.id AS message_id, n %% {COPIES} AS place, at, who.id AS user_id, who.address,
        {ID.format(at="at", n="n")} AS id, {ID.format(at="at", n="n")} AS recipient_id
    FROM generate_series(0, %(copies)s - 1) AS n
    JOIN old ON old.number = n / {COPIES}
    JOIN (SELECT id, address, row_number() OVER (ORDER BY address) - 1 AS place FROM accounts_user
          WHERE address LIKE 'r%%@outside.example' AND address NOT LIKE 'reader%%') AS who
      ON who.place = n * 7 %% {OTHERS}
    """,
    """
    INSERT INTO messaging_recipient (id, message_id, user_id, role, address, name, read_at)
    SELECT recipient_id, message_id, user_id, 'to', address, '', at FROM copy WHERE place > 0 ORDER BY recipient_id
    """,
    """
    INSERT INTO messaging_mailboxentry (id, owner_id, message_id, recipient_id, kind, folder, deleted_from, visible_at,
        read_at, wrapped_key)
    SELECT id, user_id, message_id, CASE WHEN place > 0 THEN recipient_id END,
        CASE WHEN place > 0 THEN 'received' ELSE 'sent' END, CASE WHEN place > 0 THEN 'inbox' ELSE 'sent' END, '', at,
        at, substr(%(sealed)s, 1, 61)
    FROM copy ORDER BY id
    """,
    f"""
    INSERT INTO messaging_attachment (id, message_id, file_id, name, content_type, size, wrapped_key, created_at, scan,
        doubt)
    SELECT {ID.format(at="at", n="number")}, id, gen_random_uuid(), substr(%(sealed)s, 1, 40), 'application/pdf',
        {_FILE_BYTES}, substr(%(sealed)s, 1, 61), at, 'off', ''
    FROM old ORDER BY number
    """,
    f"""
    INSERT INTO messaging_attachmentfetch (id, recipient_id, attachment_id, at)
    SELECT {ID.format(at="copy.at", n="place")}, recipient_id, attachment.id, copy.at
    FROM copy JOIN messaging_attachment AS attachment USING (message_id) WHERE place BETWEEN 1 AND 3 ORDER BY copy.id
    """,
]


def left() -> dict[str, int]:
    """What there is of what ought to be gone: wraps, bodies, files."""
    from django.conf import settings
    from django.db.models.functions import Now

    from messaging.models import Attachment, MailboxEntry, Message

    old = Message.objects.filter(sent_at__lte=Now() - timedelta(days=365))
    return {
        "wraps": MailboxEntry.objects.filter(message__in=old, wrapped_key__isnull=False).count(),
        "bodies": old.exclude(body=b"").count(),
        "attachments": Attachment.objects.count(),
        "files": sum(1 for _file in settings.ATTACHMENTS_DIR.glob("??/*")),
    }


# --- Ours, and the floor --------------------------------------------------------------------------------------------


def portal() -> None:
    from messaging import retention
    from securemsg.celery import leave_lasting_objects_out

    leave_lasting_objects_out()
    _in_slices(lambda seconds: retention.purge_due(seconds=seconds))


def bare() -> None:
    _in_slices(_delete)


def _in_slices(purge: Callable[[float], int]) -> None:
    """Of each slice: copies, seconds, and milliseconds of its longest transaction."""
    for line in sys.stdin:
        began = time.perf_counter()
        with _transactions() as lasted:
            messages = purge(float(line))
        seconds = time.perf_counter() - began
        print(json.dumps([messages * COPIES, seconds, max(lasted, default=0.0) * 1000]), flush=True)


@contextmanager
def _transactions() -> Iterator[list[float]]:
    """How long each transaction lasts, seconds, from its beginning until its commit is durable; and each statement
    that is one by itself."""
    from django.db import connection

    lasted: list[float] = []
    began = 0.0
    set_autocommit, commit = connection.set_autocommit, connection.commit

    def switched(autocommit: bool, **options: Any) -> None:
        nonlocal began
        began = time.perf_counter()
        set_autocommit(autocommit, **options)

    def committed() -> None:
        commit()
        lasted.append(time.perf_counter() - began)

    def executed(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if connection.in_atomic_block:
            return execute(sql, params, many, context)
        at = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            lasted.append(time.perf_counter() - at)

    connection.set_autocommit, connection.commit = switched, committed  # type: ignore[method-assign]
    with connection.execute_wrapper(executed):
        yield lasted
    del connection.set_autocommit, connection.commit


def _delete(seconds: float) -> int:
    """The same messages, oldest first, with everything that hangs on them; returns how many."""
    from django.db import connection

    from messaging import retention

    ends = time.monotonic() + seconds
    deleted, since = 0, "-infinity"
    with connection.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute(_OLDEST, [since, retention._messages.most])
            oldest = cursor.fetchall()
            if not oldest:
                break
            since = oldest[-1][1]
            for statement in _DELETE:
                _delete_by(statement, [message for message, _at in oldest], retention._keys.most)
            deleted += len(oldest)
    return deleted


def _delete_by(statement: str, messages: list[Any], rows: int) -> None:
    """So many rows a transaction."""
    from django.db import connection, transaction

    count = rows
    while count == rows:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [messages, rows])
            count = cursor.rowcount


_OLDEST = """
    SELECT id, sent_at FROM messaging_message
    WHERE organization_id = (SELECT id FROM portal_organization) AND purged_at IS NULL
      AND sent_at >= %s AND sent_at <= now() - interval '365 days'
    ORDER BY sent_at LIMIT %s
"""
_DELETE = [
    """DELETE FROM messaging_mailboxentry WHERE id IN
       (SELECT id FROM messaging_mailboxentry WHERE message_id = ANY(%s) LIMIT %s)""",
    """WITH gone AS (SELECT id FROM messaging_attachment WHERE message_id = ANY(%s) LIMIT %s),
       fetches AS (DELETE FROM messaging_attachmentfetch WHERE attachment_id IN (SELECT id FROM gone))
       DELETE FROM messaging_attachment WHERE id IN (SELECT id FROM gone)""",
    """DELETE FROM messaging_recipient WHERE id IN
       (SELECT id FROM messaging_recipient WHERE message_id = ANY(%s) LIMIT %s)""",
    """DELETE FROM messaging_message WHERE id IN
       (SELECT id FROM messaging_message WHERE id = ANY(%s) LIMIT %s)""",
]

if __name__ == "__main__":
    main(*sys.argv[1:])
