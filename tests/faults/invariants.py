"""What must hold after every run, whatever happened in it (I1 to I12). Each yields a sentence for each violation."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .client import NO_ANSWER, Answer, text_of
from .recorder import Letter, Record

Violations = Iterator[str]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def i1_what_was_acknowledged_is_there(record: Record) -> Violations:
    """For the sender and each recipient, its words and files as written. What was not acknowledged is there whole, or
    not at all."""
    for letter in record.letters:
        if not record.is_sent(letter):
            if letter.acknowledged:
                yield f"message {letter.id} was acknowledged and is not there"
            continue
        if letter.refused:
            yield f"message {letter.id} was refused and yet sent"
        yield from _whole(letter)


def _whole(letter: Letter) -> Violations:
    from messaging.models import MailboxEntry

    entries = MailboxEntry.objects.filter(message=letter.id).select_related("message__retention_key", "owner")
    held = {(entry.kind, entry.owner.address) for entry in entries}
    missing = {("received", address) for address in letter.to} - held
    if missing:
        yield f"message {letter.id} has no copy for {sorted(missing)[:3]}"
    if "sent" not in {kind for kind, _address in held}:
        yield f"message {letter.id} is not in its author's Sent Items"
    for entry in entries:
        if letter.ended or (entry.kind == "received" and letter.recalled_at is not None):
            continue
        yield from (f"message {letter.id}, {entry.kind} copy: {problem}" for problem in _opened(letter, entry))


def _opened(letter: Letter, entry: Any) -> Violations:
    from messaging import attachments, sealing
    from portal.keyring import SealBroken
    from portal.plain_text import plain_text

    try:
        key = sealing.open_message_key(entry)
        if plain_text(sealing.open_body(entry.message, key)).strip() != letter.body:
            yield "the words are not those written"
        found = {
            sealing.open_attachment_name(row, key): _digest(b"".join(attachments.open_attachment(row, key)))
            for row in entry.message.attachments.all()
        }
    except SealBroken as broken:
        yield f"does not open: {broken}"
    else:
        if found != {file.name: _digest(file.content) for file in letter.files}:
            yield f"the files are not those attached: {sorted(found)}"


def i2_each_mail_reaches_one_end(record: Record) -> Violations:
    from messaging.models import Recipient

    rows = {row.id: row for row in record.rows}
    for recipient in Recipient.objects.filter(message__in=list(record.messages)).select_related("notification"):
        if recipient.notification_id not in rows:
            yield f"nobody is notified of {recipient.message_id} at {recipient.address}"
    for missing in record.probes - set(rows):
        yield f"mail {missing} is not there any more"
    stopped = {letter.id for letter in record.letters if letter.recalled_at is not None or letter.ended}
    told = {row.dedupe_key.split(":")[1] for row in record.rows if row.kind == "notification_failed"}
    for row in record.rows:
        accepted = any(arrival.accepted for arrival in record.arrived_by_row[row.message_id])
        if row.state == "sent" and not accepted:
            yield f"mail {row.id} is written down as sent and never arrived"
        elif row.state == "cancelled" and not stopped:
            yield f"mail {row.id} was cancelled, and nobody had wanted that"
        elif row.state == "failed" and row.to_address not in record.may_fail and not _is_admitted(row, told):
            yield f"mail {row.id} failed: {row.server_reply}"


def _is_admitted(row: Any, told: set[str]) -> bool:
    """Lost twice after the final dot: the one end that the portal admits to. Its sender is told."""
    return row.ambiguous_at is not None and (row.kind != "notification" or str(row.id) in told)


def i3_nothing_comes_twice_unless_in_doubt(record: Record) -> Violations:
    extras = 0
    for message_id, arrived in record.arrived_by_row.items():
        extra = sum(arrival.accepted for arrival in arrived) - 1
        if extra <= 0:
            continue
        extras += extra
        row = record.row_of[message_id]
        if row.ambiguous_at is None:
            yield f"mail {row.id} came {extra + 1} times and was never in doubt"
        elif extra > 1:
            yield f"mail {row.id} came {extra + 1} times"
    if extras > record.doubts:
        yield f"{extras} mails too many, at most {record.doubts} were in doubt"


def i4_what_comes_twice_is_the_same_mail(record: Record) -> Violations:
    """One Message-ID and one Date for a mail at every try; one mail for each thing to tell."""
    keys = Counter(row.dedupe_key for row in record.rows)
    yield from (f"{count} mails for {key}" for key, count in keys.items() if count > 1)
    for message_id, arrived in record.arrived_by_row.items():
        if len({arrival.date for arrival in arrived}) > 1:
            yield f"mail {message_id} came under several dates"


def i5_nothing_leaves_after_a_recall(record: Record) -> Violations:
    from messaging.models import MailboxEntry
    from portal.models import AuditEvent

    for letter in record.letters:
        if letter.recalled_at is None:
            continue
        about = set(MailboxEntry.objects.filter(message=letter.id).values_list("id", flat=True))
        rows = {row.message_id for row in record.rows if row.about in about}
        after = sum(a.at > letter.recalled_at for a in record.arrived if a.message_id in rows)
        told = AuditEvent.objects.get(action="message.recalled", about=letter.id).details["already_leaving"]
        if after > told:
            yield f"{after} notifications of {letter.id} left after its recall, which had told of {told}"


def i6_nothing_unexpected_arrives(record: Record) -> Violations:
    for arrival in record.arrived:
        row = record.row_of.get(arrival.message_id)
        if row is None:
            yield f"a mail to {arrival.recipient} that no row knows"
        elif row.to_address != arrival.recipient:
            yield f"mail {row.id} for {row.to_address} went to {arrival.recipient}"


def i7_everything_ends_in_time(record: Record) -> Violations:
    if record.unfinished:
        rows = [row for row in record.rows if row.finished_at is None]
        left = Counter(f"{row.kind} {row.state}, due {row.due_at:%d %b %H:%M:%S}" for row in rows)
        yield (
            f"{record.unfinished} mails had come to no end {record.settled_after:.0f} s after the fault was over: "
            + "; ".join(f"{count} × {words}" for words, count in left.most_common(3))
        )


def i8_a_credential_succeeds_once(record: Record) -> Violations:
    yield from (f"credential {key} succeeded {n} times" for key, n in record.tickets.items() if n > 1)


def i9_files_and_rows_agree(record: Record) -> Violations:
    """Whether a row's bytes are right, the first invariant has found out; here, that no file is left without a row."""
    from django.conf import settings

    from messaging import attachments, sealed_files
    from messaging.models import Attachment

    for row in Attachment.objects.filter(message__organization=record.organization):
        path = sealed_files.path_of(row.file_id)
        if not path.exists() or path.stat().st_size != sealed_files.sealed_size(row.size):
            yield f"attachment {row.id} has no whole file"
    known = {file_id.hex for file_id in Attachment.objects.values_list("file_id", flat=True)}
    for path in settings.ATTACHMENTS_DIR.glob("??/*"):
        if path.name not in known:
            os.utime(path, (0, 0))  # an upload that was interrupted long ago
    attachments.collect_orphans()
    for path in settings.ATTACHMENTS_DIR.glob("??/*"):
        if path.name not in known:
            yield f"file {path.name} belongs to nobody and was not collected"


def i10_the_audit_log_is_whole(record: Record) -> Violations:
    from messaging.models import Message
    from portal import audit
    from portal.models import AuditEvent, RetentionKey

    audit.link_all(everything=True)
    verified = audit.verify(record.organization)
    if not verified.intact:
        yield f"the chain is broken at {verified.broken_at}: {verified.why}; missing {verified.missing[:3]}"
    told = Counter(AuditEvent.objects.filter(organization=record.organization).values_list("action", "about"))
    for action, moment in (("sent", "sent_at"), ("recalled", "recalled_at"), ("purged", "purged_at")):
        happened = Message.objects.filter(organization=record.organization, **{f"{moment}__isnull": False})
        yield from _told_once(f"message.{action}", set(happened.values_list("id", flat=True)), told)
    keys = RetentionKey.objects.filter(organization=record.organization, destroyed_at__isnull=False)
    yield from _told_once("retention_key.destroyed", set(keys.values_list("id", flat=True)), told)


def _told_once(action: str, happened: set[Any], told: Counter[tuple[str, Any]]) -> Violations:
    events = {about: count for (name, about), count in told.items() if name == action}
    for about in happened | set(events):
        expected = int(about in happened)
        if events.get(about, 0) != expected:
            yield f"{action} of {about}: happened {expected} times, told {events.get(about, 0)} times"


def i11_nothing_is_in_the_clear(record: Record) -> Violations:
    yield from record.found_in_the_clear


def i12_the_pages_answer(record: Record) -> Violations:
    for answer in record.answers:
        if answer.status == NO_ANSWER and not record.web_is_killed:
            yield f"{answer.method} {answer.path} was not answered"
        elif answer.status == 503 and record.degraded:
            if not _says_what_to_do(answer):
                yield f"{answer.method} {answer.path} says 503 without saying what to do"
        elif answer.status >= 500:
            yield f"{answer.method} {answer.path} answered {answer.status}"


def _says_what_to_do(answer: Answer) -> bool:
    """A page: to try again, and when. /readyz, which whoever runs the portal reads: a line for each part that is not
    well, what is wrong with it. What to do."""
    if answer.path == "/readyz":
        lines = answer.body.splitlines()
        return bool(lines) and all(". " in line for line in lines)
    return bool(answer.retry_after) and "Please try again" in text_of(answer.body)


def p95(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] if seconds else 0.0


def slow_pages(seconds: Sequence[float]) -> Violations:
    """The rest of I12, for all runs of a fault together: nineteen of twenty pages within a second, where the fault has
    nothing to do with pages. Of fewer than twenty there is no twentieth."""
    if len(seconds) >= 20 and p95(seconds) > 1:
        yield f"I12: one page in twenty took {p95(seconds):.1f} s, though nothing was wrong with the pages"


ALL: tuple[Callable[[Record], Violations], ...] = (
    i1_what_was_acknowledged_is_there,
    i2_each_mail_reaches_one_end,
    i3_nothing_comes_twice_unless_in_doubt,
    i4_what_comes_twice_is_the_same_mail,
    i5_nothing_leaves_after_a_recall,
    i6_nothing_unexpected_arrives,
    i7_everything_ends_in_time,
    i8_a_credential_succeeds_once,
    i9_files_and_rows_agree,
    i10_the_audit_log_is_whole,
    i11_nothing_is_in_the_clear,
    i12_the_pages_answer,
)


def violations(record: Record) -> list[str]:
    found = [f"{check.__name__.partition('_')[0].upper()}: {told}" for check in ALL for told in check(record)]
    return found + ([f"not played to its end: {record.broken_off}"] if record.broken_off else []) + record.wrong
