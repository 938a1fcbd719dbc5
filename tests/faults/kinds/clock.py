"""F8: machines whose clocks are wrong. The database's decides; nothing expires early, nothing is sent again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now

from ..run import Run
from ..stage import Stage
from . import fault

HOURS = 2
LEASE = 60


def _at(offset: str) -> tuple[str, ...]:
    """A command in front of another, for which it is earlier or later. Files keep their true times."""
    return ("env", "NO_FAKE_STAT=1", "faketime", "-f", offset)


def _moved(run: Run, ago: timedelta) -> object:
    """A letter that expires in an hour, or has expired, by the database's clock."""
    from django.utils import timezone

    from messaging.models import Message

    letter = run.sent(2, size=1000)
    Message.objects.filter(id=letter.id).update(expires_at=timezone.now() - ago)
    return letter


def _is_readable(run: Run, letter) -> bool:
    from messaging.models import MailboxEntry

    copy = MailboxEntry.objects.get(message=letter.id, kind="received", owner__address=letter.to[1])
    reader = run.logged_in(letter.to[1])
    return run.word in reader.get(f"/messages/{copy.id}/body/").body


def _judge(run: Run) -> None:
    tried_again = run.rows().filter(attempts__gt=1).count()
    if tried_again:
        run.record.wrong.append(f"{tried_again} mails were tried more than once, though nothing was wrong with them")


@fault("F8", "workers two hours ahead and behind, the clock behind", needs="faketime", short=True)
def workers_and_clock(run: Run) -> None:
    stage = run.stage
    stage.end_all("worker", "clock")
    stage.worker(prefix=_at(f"+{HOURS}h"))
    stage.worker(prefix=_at(f"-{HOURS}h"))
    stage.clock(prefix=_at(f"-{HOURS}h"))
    run.server.script["DOT"] = lambda _argument: time.sleep(0.03)
    letter = _moved(run, -timedelta(hours=1))
    run.sent(40)
    run.settle()
    _judge(run)
    if not _is_readable(run, letter):
        run.record.wrong.append("expired early")
    stage.end_all("worker", "clock")


@fault("F8", "pages two hours ahead", needs="faketime", short=True)
def pages_ahead(run: Run) -> None:
    """Sessions, expiry and drafts go by the database's clock; what has expired stays so on a machine that is behind."""
    stage = run.stage
    stage.end_all("web")
    web = stage.web(prefix=_at(f"+{HOURS}h"))
    run.wait(lambda: run.browser().get("/").status == 200, 30)
    letter = _moved(run, -timedelta(hours=1))
    if not _is_readable(run, letter):
        run.record.wrong.append("expired early")
    web.kill()
    stage.web(prefix=_at(f"-{HOURS}h"))
    run.wait(lambda: run.browser().get("/").status == 200, 30)
    run.record.web_is_killed = True
    expired = _moved(run, timedelta(minutes=1))
    if _is_readable(run, expired):
        run.record.wrong.append("rose again")
    expired.ended = True
    run.settle()
    _judge(run)
    stage.end_all("web")


@fault("F8", "the database's clock stepped back and forth", needs="faketime")
def database_stepped(run: Run) -> None:
    """As NTP does it: no step is longer than half a lease, which ends by the same clock."""
    stage, file = run.stage, run.stage.folder / "database.time"
    library = next(iter(sorted(_libraries())))
    file.write_text("+0\n")
    file.chmod(0o644)
    run.record.degraded = True
    environment = (f"LD_PRELOAD={library}", f"FAKETIME_TIMESTAMP_FILE={file}", "FAKETIME_NO_CACHE=1")
    stage.cluster.clock = ("env", *environment, "DONT_FAKE_MONOTONIC=1")
    try:
        _restart(stage)
        run.server.script["DOT"] = lambda _argument: time.sleep(0.05)
        run.wait(lambda: run.browser().get("/").status == 200, 30)
        run.sent(60)
        for leases in (-0.2, +0.3, -0.2, -0.6, -0.1):
            file.write_text(f"{leases * LEASE / stage.pace:+.1f}\n")
            time.sleep(1)
        run.sent(10)
        run.settle()
        _judge(run)
    finally:
        stage.cluster.clock = ()
        _restart(stage)


@fault("F8", "29 February ends", needs="faketime", midnight=datetime(2028, 3, 1, tzinfo=UTC))
@fault("F8", "an hour is left out", needs="faketime", midnight=datetime(2027, 3, 28, 1, tzinfo=UTC))
@fault("F8", "an hour comes twice", needs="faketime", midnight=datetime(2027, 10, 31, 1, tzinfo=UTC))
def calendar(run: Run, midnight: datetime) -> None:
    """London's people write and read before and after that moment, which every machine passes while they do."""
    from accounts.models import User
    from messaging.models import Message

    run.organization.time_zone = "Europe/London"
    run.organization.save()
    with _everywhere(run, midnight - timedelta(seconds=10)):
        run.server.script["DOT"] = lambda _argument: time.sleep(0.05)
        letters = [run.letter(12, size=1000) for _ in range(12)]
        people = User.objects.filter(organization=run.organization)
        people.update(password_set_at=Now())
        hourly = letters[0].to[1]
        people.filter(address=hourly).update(notify=User.Notify.HOURLY)
        for letter in letters:
            assert run.send(letter), run.record.answers[-1]
            Message.objects.filter(id=letter.id).update(expires_at=Now() + timedelta(minutes=30))
            time.sleep(1.5)
        if _now() < midnight:
            run.record.wrong.append("all was over before the moment came")
        for letter in (letters[0], letters[-1]):
            if not _is_readable(run, letter):
                run.record.wrong.append("expired early")
        digest = run.rows().get(to_address=hourly, kind="digest")
        if not timedelta(0) < digest.due_at - _now() <= timedelta(minutes=61):
            run.record.wrong.append(f"an hourly digest is due at {digest.due_at}, and it is {_now()}")
        run.rows().filter(pk=digest.pk).update(due_at=Now())
        run.settle()
        _judge(run)


def _now() -> datetime:
    """By the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


@contextmanager
def _everywhere(run: Run, moment: datetime) -> Iterator[None]:
    """For the block, it is that moment for the database and every process."""
    stage = run.stage
    later = _at(f"+{int((moment - datetime.now(UTC)).total_seconds())}s")
    stage.end_all("web", "worker", "clock")
    try:
        stage.cluster.clock = ("env", "DONT_FAKE_MONOTONIC=1", *later)
        _restart(stage)
        stage.web(prefix=later)
        stage.worker(prefix=later)
        stage.clock(prefix=later)
        run.wait(lambda: run.browser().get("/").status == 200, 30)
        yield
    finally:
        stage.end_all("web", "worker", "clock")
        stage.cluster.clock = ()
        _restart(stage)
        _forget_what_is_to_come()


def _forget_what_is_to_come() -> None:
    """This release shuts no network out for it; the one before, which another fault starts, does."""
    from accounts.models import LogInAttempt

    LogInAttempt.objects.filter(at__gt=Now() + timedelta(days=1)).delete()


def _restart(stage: Stage) -> None:
    """A crash, but for the clock; with the last outcomes on the disk, or they were in doubt, under leases that another
    clock has set."""
    time.sleep(1)
    stage.cluster.stop_immediately()
    stage.cluster.start()
    connection.close()  # the suite's own


def _libraries() -> list[str]:
    from pathlib import Path

    return [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
