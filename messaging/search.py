"""Search: decrypt and scan inside one's own mailbox, newest first; there is no index of words to leak.

What the database can narrow (folder, person, date, whether there are attachments) it narrows first. What is left is
opened copy by copy and looked through, up to a number of copies and seconds; from there "search older" goes on.
Memory does not grow with the mailbox: copies come in batches, and long bodies one at a time.
"""

import base64
import json
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, cast

from django.db.models import QuerySet

from accounts.models import User
from portal import keyring
from portal.keyring import SealBroken
from portal.models import RetentionKey

from . import bodies, draft_quotes, folders, mailbox_scan, sealing, words
from .mailbox_scan import Copy, Narrowing
from .models import MailboxEntry, Message, Quote
from .rows import Row, lines, rows_of
from .words import Part

Kind, Folder = MailboxEntry.Kind, MailboxEntry.Folder

# Where one search stops, whatever it has found; "search older" goes on from there.
MOST_COPIES = 10_000
MOST_SECONDS = 2.0
MOST_HITS = folders.PAGE_ROWS


@dataclass(frozen=True)
class Query:
    """What somebody looks for; empty fields do not narrow. Dates are days of the reader's time zone, both included."""

    words: str = ""
    person: str = ""
    since: date | None = None
    until: date | None = None
    folder: str = ""
    file: str = ""

    def is_empty(self) -> bool:
        return self == Query()


@dataclass(frozen=True)
class Hit:
    """A message found: its line as in the folder, with what was looked for marked."""

    row: Row
    folder: str
    subject: list[Part]
    snippet: list[Part]


@dataclass(frozen=True)
class Found:
    hits: list[Hit]
    copies: int  # looked through
    back_to: datetime | None  # the date of the oldest of them
    older_than: uuid.UUID | None  # where "search older" goes on; None: everything has been looked through


# --- A query on its way through a URL ------------------------------------------------------------------------


def sealed(query: Query, user: User) -> str:
    """The query as an address may carry it: browsers keep addresses, servers and proxies log them, and what somebody
    looks for in confidential mail is as confidential. It opens here, for this person, and nowhere else."""
    text = json.dumps(asdict(query), default=str, ensure_ascii=False)
    token = keyring.seal_text(keyring.leaf_key("search"), text, ("search", user.id))
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def unsealed(token: str, user: User) -> Query | None:
    """What `sealed` made for this person; None for anything else."""
    try:
        token_bytes = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        fields = json.loads(keyring.unseal_text(keyring.leaf_key("search"), token_bytes, ("search", user.id)))
    except (ValueError, SealBroken):
        return None
    days = {name: date.fromisoformat(fields[name]) for name in ("since", "until") if fields[name]}
    return Query(**fields | days)


# --- Looking through ------------------------------------------------------------------------------------------


def search(user: User, query: Query, *, older_than: uuid.UUID | None = None) -> Found:
    """What the person's own mailbox holds of it, newest first."""
    ends = time.monotonic() + MOST_SECONDS
    sought = _Sought(query, user)
    found: list[tuple[Copy, str]] = []
    copies, last = 0, None
    for copy in mailbox_scan.newest_first(user, _narrowing(query), older_than):
        if len(found) == MOST_HITS or copies == MOST_COPIES or time.monotonic() > ends:
            return Found(_hits(user, sought, found), copies, last and last.at, last and uuid.UUID(last.id))
        copies, last = copies + 1, copy
        with suppress(SealBroken):  # opening its page says what is wrong
            if (text := sought.text_in(copy)) is not None:
                found.append((copy, text))
    return Found(_hits(user, sought, found), copies, last and last.at, None)


def _narrowing(query: Query) -> Narrowing:
    return Narrowing(
        folder=query.folder,
        person=query.person,
        since=query.since,
        until=query.until,
        has_attachments=bool(query.file),
        with_quotes=bool(query.words),
    )


def _hits(user: User, sought: "_Sought", found: list[tuple[Copy, str]]) -> list[Hit]:
    # Looked up anew: what was recalled in the meantime is not shown.
    entries = mailbox_scan.openable(user).filter(id__in=[copy.id for copy, _text in found])
    rows = {row.entry: row for row in rows_of(user, lines(entries))}
    return [
        Hit(
            row=rows[copy.id],
            folder=str(Folder(copy.folder).label),
            subject=words.marked(rows[copy.id].subject or "", sought.words),
            snippet=words.snippet(text, sought.words),
        )
        for copy, text in found
        if copy.id in rows
    ]


# --- What is in a copy ----------------------------------------------------------------------------------------


class _Sought:
    """A query made ready to be compared with thousands of copies."""

    def __init__(self, query: Query, user: User) -> None:
        self._user = user
        self.words = words.looked_for(query.words)
        self._glances = {word: bodies.glance(word) for word in self.words}
        self._person = words.looked_for(query.person)
        self._file = words.looked_for(query.file)
        self._retention_keys: dict[uuid.UUID, bytes] = {}

    def text_in(self, copy: Copy) -> str | None:
        """The text of a copy that is what is looked for, to show a part of; None for any other."""
        key = sealing.open_message_key(cast(MailboxEntry, copy), self._retention_key(copy.message.retention_key))
        if not (self._has_file(copy, key) and self._has_person(copy, key)):
            return None
        message = cast(Message, copy.message)
        missing = words.missing_in(sealing.open_subject(message, key), self.words)
        html = sealing.open_body(message if copy.message.body else _with_body(copy), key)
        if not copy.quotes and self._surely_lacks(html, missing):
            return None
        body = bodies.words(html)
        missing_beyond_body = words.missing_in(body, missing) if missing else []
        if not missing_beyond_body:
            return body
        return self._text_in_quotes(copy, key, missing_beyond_body)

    def _surely_lacks(self, html: str, missing: list[str]) -> bool:
        """Whether a glance at a body tells that it does not hold all these words; False says nothing."""
        if not html.isascii():
            return False
        html = html.lower()
        return not all(self._glances[word].search(html) for word in missing)

    def _retention_key(self, row: RetentionKey) -> bytes:
        """Opened once, not for each of thousands of copies."""
        if row.id not in self._retention_keys:
            self._retention_keys[row.id] = keyring.open_retention_key(row)
        return self._retention_keys[row.id]

    def _text_in_quotes(self, copy: Copy, key: bytes, missing: list[str]) -> str | None:
        text = _text_of(copy.quotes, key)
        if copy.kind == Kind.DRAFT and not words.missing_in(text, missing):
            text = _text_of(draft_quotes.still_readable(copy.quotes, self._user), key)
        return None if words.missing_in(text, missing) else text

    def _has_file(self, copy: Copy, key: bytes) -> bool:
        names = (sealing.open_attachment_name(attachment, key) for attachment in copy.attachments)
        return not self._file or any(not words.missing_in(name, self._file) for name in names)

    def _has_person(self, copy: Copy, key: bytes) -> bool:
        """For all but drafts the database has answered it."""
        if not self._person or copy.kind != Kind.DRAFT:
            return True
        typed = sealing.open_draft_recipients(cast(Message, copy.message), key)
        return not words.missing_in(" ".join(typed.values()), self._person)


def _with_body(copy: Copy) -> Message:
    return _still_there(Message.objects.only("id", "organization_id", "body").filter(id=copy.message_id))


def _with_content(quote: Quote) -> Quote:
    return quote if quote.content else _still_there(Quote.objects.filter(id=quote.id, content__isnull=False))


def _still_there(rows: QuerySet[Any]) -> Any:
    row = rows.first()
    if row is None:
        raise SealBroken("taken away while it was looked through")
    return row


def _text_of(quotes: Sequence[Quote], key: bytes) -> str:
    return "\n".join(_words_of_quote(sealing.open_quote(_with_content(quote), key)) for quote in quotes)


def _words_of_quote(content: dict[str, Any]) -> str:
    return f"{content['subject']}\n{bodies.words(content['body'])}"
