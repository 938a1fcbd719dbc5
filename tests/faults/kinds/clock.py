"""F8: machines whose clocks are wrong. The database's decides; nothing expires early, nothing is sent again."""

import time
from datetime import timedelta

from django.db import connection

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


def _restart(stage: Stage) -> None:
    stage.cluster.stop_immediately()
    stage.cluster.start()
    connection.close()  # the suite's own


def _libraries() -> list[str]:
    from pathlib import Path

    return [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
