"""Import: a file of an administrator's, first a dry run, then taken in.

The file waits in its row, sealed, for as long as it is needed and no longer. A worker goes through it twice, batch by
batch. The first pass does everything and takes it back: it says how many rows would be new, changed, unchanged, and
names each wrong one by its line. Nothing happens before the administrator has seen that and confirms. The second pass
keeps what it does: **every good row is taken in, and no wrong one**. A row is known by its key, so that the wrong ones,
corrected, can be imported with the rest of their file again.

A batch and how far it brings the import are one transaction: whoever is killed on the way leaves the rest to the clock,
and nothing is done twice. Memory: the file (MAX_BYTES) and one batch, whatever the number of rows.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from . import audit, keyring, moments, outbox, table_files
from .models import Import, ImportProblem, Organization
from .table_files import Row, UnreadableFile
from .table_resource import Outcome, TableResource

logger = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
BATCH_ROWS = 200
MOST_PROBLEMS = 1000
# A file nobody confirmed.
FORGET_AFTER = timedelta(hours=24)
TASK = "portal.tasks.work_off_imports"


@dataclass(frozen=True)
class Kind:
    """What can be imported and exported: its name in URLs and rows, and in words; the model whose permissions count."""

    name: str
    label: Any
    model: str  # "accounts.user"
    resource: type[TableResource]

    def permission(self, action: str) -> str:
        """Django's name: accounts.import_user."""
        app, _dot, model = self.model.partition(".")
        return f"{app}.{action}_{model}"


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """The rooms above say what they have."""
    _kinds[kind.name] = kind


def kind_named(name: str) -> Kind | None:
    return _kinds.get(name)


# --- What an administrator does -------------------------------------------------------------------------------


@transaction.atomic
def order(*, actor: Any, organization: Organization, kind: Kind, content: bytes) -> Import:
    """Keep the file, sealed, and have it checked. UnreadableFile when its first lines show that it is none."""
    next(table_files.read(content, kind.resource.columns(), [kind.resource.key]), None)
    run = Import(organization=organization, actor=actor, kind=kind.name, ordered_at=moments.now())
    run.content = keyring.seal(keyring.leaf_key("imports"), content, _place(run))
    run.save(force_insert=True)
    audit.record(organization, "import.uploaded", actor=actor, about=run.pk, kind=kind.name)
    transaction.on_commit(lambda: outbox.wake_up(TASK))
    return run


@transaction.atomic
def confirm(*, actor: Any, run: Import) -> bool:
    """Take in what the dry run showed; False when that is not, or no longer, to be decided."""
    waiting = _open().filter(pk=run.pk, actor=actor, checked_at__isnull=False, confirmed_at__isnull=True)
    if not waiting.update(confirmed_at=moments.now(), position=0, **dict.fromkeys(Import.COUNTS, 0)):
        return False
    run.problems.all().delete()
    audit.record(run.organization, "import.confirmed", actor=actor, about=run.pk, kind=run.kind)
    transaction.on_commit(lambda: outbox.wake_up(TASK))
    return True


@transaction.atomic
def cancel(*, actor: Any, run: Import) -> bool:
    """Forget the file; what a running import has taken in stays, and the page says how much that was."""
    if not _open().filter(pk=run.pk).update(cancelled_at=moments.now(), content=None):
        return False
    audit.record(run.organization, "import.cancelled", actor=actor, about=run.pk, kind=run.kind)
    return True


def forget_old() -> int:
    """Files that nobody confirmed, for the clock."""
    old = _open().filter(confirmed_at__isnull=True, ordered_at__lt=moments.now() - FORGET_AFTER)
    return sum(cancel(actor=None, run=run) for run in old.defer("content").select_related("organization"))


def forget_person(organization: Organization, address: str) -> None:
    """For whom is erased: files with a row of theirs that are not worked off yet. What the others in it need is
    imported again, without that row."""
    for run in _open().filter(organization=organization).select_related("organization"):
        if _has(run, address):
            cancel(actor=None, run=run)


def _has(run: Import, address: str) -> bool:
    columns = _kinds[run.kind].resource.columns()
    try:
        rows = table_files.read(_content(run), columns, [_kinds[run.kind].resource.key])
        return any(address in cell.lower() for _line, row in rows for cell in row.values())
    except UnreadableFile:
        return False  # the worker forgets it as soon as it looks


def _open() -> QuerySet[Import]:
    return Import.objects.filter(content__isnull=False)


def _place(run: Import) -> keyring.Place:
    return ("import", run.organization_id, run.pk, "content")


def _content(run: Import) -> bytes:
    return keyring.unseal(keyring.leaf_key("imports"), run.content, _place(run))  # type: ignore[arg-type]


# --- What the worker does -------------------------------------------------------------------------------------


def work_off(*, seconds: float = 30) -> int:
    """Go on with what waits, oldest first; returns how many batches were done."""
    stop_at, done = time.monotonic() + seconds, 0
    while not done or time.monotonic() < stop_at:
        waiting = _open().filter(Q(checked_at__isnull=True) | Q(confirmed_at__isnull=False))
        run = waiting.order_by("id").select_related("organization", "actor").first()
        if run is None:
            break
        batches = _go_on(run, stop_at)
        if not batches:
            break  # another worker has it in hand
        done += batches
    return done


def _go_on(run: Import, stop_at: float) -> int:
    done = 0
    try:
        kind = _kinds[run.kind]
        if not _may(run, kind):
            _refuse(run, _("The administrator who uploaded it may not import this any more."))
            return 1
        content = _content(run)
        if run.total is None:
            run.total = sum(1 for _row in _rows(kind, content, 0))
            Import.objects.filter(pk=run.pk).update(total=run.total)
        for batch in table_files.in_batches(_rows(kind, content, run.position), BATCH_ROWS):
            if not _batch_done(run, kind, batch):
                return done
            done += 1
            if time.monotonic() >= stop_at:
                return done
        _close_pass(run)
    except UnreadableFile as error:
        _refuse(run, str(error))
    except OperationalError:
        raise  # the database is away: the clock comes back to it
    except Exception:  # a file that cannot be got through must not keep the others waiting for ever
        logger.exception("Import %s cannot be worked off", run.pk)
        _refuse(run, _("The import failed; the server’s log says why. What it had taken in stays."))
    return done + 1


def _may(run: Import, kind: Kind) -> bool:
    """Asked at each turn: a right that is taken ends what it allowed."""
    actor = run.actor
    own = actor.is_superuser or actor.organization_id == run.organization_id
    return own and actor.is_active and actor.is_staff and actor.has_perm(kind.permission("import"))


@dataclass(frozen=True)
class _Line:
    number: int
    row: Row
    first: int  # the line on which its key stands for the first time


def _rows(kind: Kind, content: bytes, skipped: int) -> Iterator[_Line]:
    """The file's rows after those skipped. The keys of all of them are kept in mind: some megabytes at most."""
    resource = kind.resource
    first_lines: dict[str, int] = {}
    for index, (line, row) in enumerate(table_files.read(content, resource.columns(), [resource.key])):
        first = first_lines.setdefault(row[resource.key].lower(), line)
        if index >= skipped:
            yield _Line(line, row, first)


def _batch_done(run: Import, kind: Kind, batch: list[_Line]) -> bool:
    """One batch and the import's new position, in one transaction. False when it is not this worker's to do."""
    with transaction.atomic():
        locked = _open().select_for_update(skip_locked=True).values_list("pk")
        if not locked.filter(pk=run.pk, position=run.position, confirmed_at=run.confirmed_at).first():
            return False
        with transaction.atomic():
            outcomes = _outcomes(run, kind, batch)
            if run.confirmed_at is None:
                transaction.set_rollback(True)  # a dry run: everything was done, and none of it stays
        _count(run, batch, outcomes)
    return True


def _outcomes(run: Import, kind: Kind, batch: list[_Line]) -> list[Outcome]:
    good = [line for line in batch if line.first == line.number]
    taken = dict(
        zip(
            (line.number for line in good),
            kind.resource(run.organization, run.actor).take([line.row for line in good]),
            strict=True,
        )
    )
    return [taken.get(line.number) or _twice(kind, line) for line in batch]


def _twice(kind: Kind, line: _Line) -> Outcome:
    text = _("%(column)s: the same stands in line %(line)d already.")
    return Outcome("wrong", text % {"column": kind.resource.key, "line": line.first})


def _count(run: Import, batch: list[_Line], outcomes: list[Outcome]) -> None:
    counts = {name: sum(outcome.what == name for outcome in outcomes) for name in Import.COUNTS}
    wrong = [
        ImportProblem(of_import=run, line=line.number, text=outcome.problem)
        for line, outcome in zip(batch, outcomes, strict=True)
        if outcome.what == "wrong"
    ]
    room = MOST_PROBLEMS - run.wrong
    ImportProblem.objects.bulk_create(wrong[: max(0, room)])
    changes: dict[str, Any] = {name: F(name) + number for name, number in counts.items()}
    Import.objects.filter(pk=run.pk).update(position=F("position") + len(batch), **changes)
    run.position += len(batch)
    run.wrong += counts["wrong"]


@transaction.atomic
def _close_pass(run: Import) -> None:
    here = _open().filter(pk=run.pk, position=run.position)
    if run.confirmed_at is None:
        here.filter(checked_at__isnull=True).update(checked_at=moments.now())
    elif here.update(finished_at=moments.now(), content=None):
        counts = Import.objects.values(*Import.COUNTS).get(pk=run.pk)
        audit.record(run.organization, "import.finished", actor=run.actor, about=run.pk, kind=run.kind, **dict(counts))


@transaction.atomic
def _refuse(run: Import, problem: str) -> None:
    if _open().filter(pk=run.pk).update(finished_at=moments.now(), content=None, problem=problem[:300]):
        audit.record(run.organization, "import.failed", actor=run.actor, about=run.pk, kind=run.kind)
