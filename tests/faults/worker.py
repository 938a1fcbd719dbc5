"""The entry point of the suite's own workers and clocks: the real app, with failpoints, in a hurry, and, for the
meta-run, with a part of its design broken.

    python -m tests.faults.worker FOLDER PACE DESIGN worker -c 4 …

FOLDER is where failpoints are armed, PACE divides every lease, time-out, delay and interval of the clock, DESIGN is
one of designs.py or "whole". Nothing of this is in the portal's own code.
"""

import os
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")

import django
from django.db import connection

from securemsg.celery import app

from . import designs, failpoints

PROBE, POISON, DEADLY = "probe", "poison", "deadly"


def probe(mail: Any) -> EmailMessage:
    """A mail that needs no message behind it."""
    message = EmailMessage()
    message["Subject"] = "Probe"
    message.set_content(str(mail.about))
    return message


def poison(mail: Any) -> EmailMessage:
    raise ZeroDivisionError(f"this mail cannot be written: {mail.id}")


def deadly(mail: Any) -> EmailMessage:
    """Ends its worker's database session, as what makes the server itself crash would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    raise AssertionError("the session outlived it")


def register_kinds() -> None:
    from portal import outbox

    outbox.register(PROBE, probe)
    outbox.register(POISON, poison)
    outbox.register(DEADLY, deadly)


def hurry(pace: float) -> None:
    from django.conf import settings

    from portal import claims, connections, delivery, dialling, holds, smtp, verdicts

    for module, names in {
        claims: ("LEASE",),
        delivery: ("BUSY_DELAY", "PATIENCE_SECONDS"),
        verdicts: ("FIRST_DELAY", "LONGEST_DELAY"),
        holds: ("FIRST", "LONGEST"),
        smtp: ("BEFORE_DATA_SECONDS", "DATA_SECONDS"),
        connections: ("MOST_IDLE_SECONDS", "MOST_OPEN_SECONDS"),
        dialling: ("CONNECT_SECONDS",),
        settings: ("EMAIL_TIMEOUT",),
    }.items():
        for name in names:
            setattr(module, name, getattr(module, name) / pace)
    for entry in app.conf.beat_schedule.values():
        entry["schedule"] /= pace


def main(folder: str, pace: str, design: str, *arguments: str) -> None:
    django.setup()
    register_kinds()
    hurry(float(pace))
    designs.break_in_worker(design)
    failpoints.plant_in_worker(failpoints.Failpoints(Path(folder)))
    app.start(argv=list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
