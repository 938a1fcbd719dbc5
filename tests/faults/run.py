"""One run of one fault: an organisation of its own, whose people send messages over the pages while something fails,
and the record of what came of it."""

import random
import secrets
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Domain, User
from portal import moments, outbox
from portal.ids import uuid7
from portal.models import Organization, OutgoingMail

from . import invariants, recorder
from .client import Browser, File
from .processes import wait_until
from .recorder import Letter, Record
from .stage import Stage
from .worker import PROBE

PASSWORD = "a kettle on the seventh roof"
_PASSWORD_HASH = make_password(PASSWORD)
CANARY = f"canary{secrets.token_hex(4)}"  # begins every run's word
BOUND = 120  # seconds from the end of a fault to the end of the last mail: I7
SENDER = "sender@north.example"


@dataclass
class Outcome:
    record: Record
    violations: list[str]
    seconds: float


class Run:
    """What a fault is given to work with."""

    def __init__(self, stage: Stage, seed: int) -> None:
        self.stage, self.server = stage, stage.server
        self.random = random.Random(seed)
        self.word = f"{CANARY}{secrets.token_hex(8)}"
        self.organization = self._organization()
        self.record = Record(self.organization)
        self._heard = len(self.server.seen)

    def _organization(self) -> Organization:
        slug = f"run-{secrets.token_hex(4)}"
        organization = Organization.objects.create(
            name=f"Organisation of {slug}", slug=slug, undo_seconds=0, hourly_notifications=0
        )
        self.person(organization, SENDER, is_licensed=True)
        Domain.objects.create(organization=organization, name="outside.example")  # known: nothing is asked first
        return organization

    @staticmethod
    def person(organization: Organization, address: str, **fields: Any) -> User:
        domain, _ = Domain.objects.get_or_create(
            organization=organization,
            name=address.partition("@")[2],
            defaults={"is_internal": address == SENDER},
        )
        user = User(organization=organization, domain=domain, address=address, **fields)
        user.password, user.password_set_at = _PASSWORD_HASH, timezone.now()
        user.save()
        return user

    # --- What people do ---------------------------------------------------------------------------------------

    def browser(self, *, timeout: float = 60) -> Browser:
        return Browser(self.stage.address, self.record.answers, timeout=timeout)

    @cached_property
    def sender(self) -> Browser:
        """Logged in; so a fault that begins with it has its log-in behind it."""
        return self.logged_in(SENDER)

    def logged_in(self, address: str, *, timeout: float = 60) -> Browser:
        browser = self.browser(timeout=timeout)
        assert browser.log_in(self.organization.slug, address, PASSWORD), f"{address} cannot log in"
        return browser

    def letter(self, recipients: int = 12, *, size: int = 100_000) -> Letter:
        """Written, not sent. One of its recipients has never been here before."""
        number = len(self.record.letters)
        to = [f"r{number}-{n}@outside.example" for n in range(recipients)]
        known = to[1:]
        domain = Domain.objects.get(organization=self.organization, name="outside.example")
        User.objects.bulk_create(
            User(
                organization=self.organization,
                domain=domain,
                address=address,
                password=_PASSWORD_HASH,
                password_set_at=timezone.now(),
            )
            for address in known
        )
        return self.written(to, size=size)

    def written(self, to: list[str], *, size: int = 0) -> Letter:
        """To people who are there, or who come to be by it."""
        number = len(self.record.letters)
        content = self.word.encode() + self.random.randbytes(size) if size else b""
        files = [File(f"plan-{number}-{self.word}.bin", content)] if size else []
        letter = Letter(uuid7(), to, f"Subject {self.word}", f"Words of letter {number}: {self.word}", files)
        self.record.letters.append(letter)
        return letter

    def send(self, letter: Letter, browser: Browser | None = None) -> bool:
        """Over the page; whether it said that it is sent."""
        fields = {
            "to": letter.to[0],
            "bcc": ", ".join(letter.to[1:]),
            "subject": letter.subject,
            "body": letter.body,
            "action": "send",
        }
        answer = (browser or self.sender).post(f"/drafts/{letter.id}/", fields, letter.files)
        letter.acknowledged = answer.status == 302 and answer.location == "/sent/"
        # A 503 may have been said after a commit whose answer was lost.
        letter.refused = 400 <= answer.status < 500
        return letter.acknowledged

    def sent(self, recipients: int = 12, **kwargs: Any) -> Letter:
        letter = self.letter(recipients, **kwargs)
        assert self.send(letter), f"not sent: {self.record.answers[-1]}"
        return letter

    @property
    def owner(self) -> str:
        """Whose rows are this run's."""
        return str(self.organization.id)

    @staticmethod
    def sent_entry(letter: Letter) -> Any:
        from messaging.models import MailboxEntry

        return MailboxEntry.objects.get(message=letter.id, kind=MailboxEntry.Kind.SENT)

    def recall(self, letter: Letter) -> None:
        answer = self.sender.post(f"/messages/{self.sent_entry(letter).id}/recall/", {})
        assert answer.status == 302, answer
        letter.recalled_at = answer.at

    def enqueue(self, count: int, kind: str = PROBE) -> list[OutgoingMail]:
        """Mails with no message behind them, due now, in one transaction."""
        mails = [
            outbox.new_mail(
                organization=self.organization,
                kind=kind,
                about=(about := uuid7()),
                to_address=f"probe{number}@outside.example",
                dedupe_key=f"{kind}:{about}",
                due_at=moments.now(),
            )
            for number in range(count)
        ]
        with transaction.atomic():
            outbox.enqueue(mails)
        self.record.probes.update(mail.id for mail in mails)
        return mails

    def call_workers(self, times: int = 1, task: str = "portal.tasks.deliver_due_mail", *args: Any) -> None:
        """The same wake-up call, so many times, past the proxy."""
        from securemsg.celery import app

        with app.connection_for_write(self.stage.redis.url) as connection:
            for _ in range(times):
                app.send_task(task, args=args, connection=connection)

    # --- What is waited for -------------------------------------------------------------------------------------

    def rows(self) -> Any:
        return OutgoingMail.objects.filter(organization=self.organization)

    def unfinished(self) -> int:
        return self.rows().filter(finished_at__isnull=True).count()

    def heard(self) -> int:
        """Final dots since the run began."""
        return len(self.server.seen) - self._heard

    def wait(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        wait_until(reached, seconds, lambda: self.rows().values_list("state", flat=True)[:20])

    def settle(self, bound: float = BOUND) -> None:
        """Until every mail has come to an end, or the bound has passed."""
        began = time.monotonic()
        while (left := self.unfinished()) and time.monotonic() - began < bound:
            time.sleep(0.1)
        self.record.unfinished, self.record.settled_after = left, time.monotonic() - began
        self.record.arrived = self._arrived()

    def _arrived(self) -> list[recorder.Arrival]:
        """Since this run began, save what an earlier run left behind."""
        mails = list(self.server.seen)[self._heard :]
        arrived = recorder.arrivals(mails, self.server.mails)
        others = OutgoingMail.objects.exclude(organization=self.organization)
        of_others = set(
            others.filter(message_id__in={a.message_id for a in arrived}).values_list("message_id", flat=True)
        )
        return [arrival for arrival in arrived if arrival.message_id not in of_others]

    def in_the_clear(self) -> list[str]:
        """What begins every word in subjects, bodies, files and file names, wherever it must not be: logs, stored
        files, whatever Redis was told. The database's own files are looked through at the very end (jobs.py)."""
        below = self.stage.folder
        files = [path for path in below.rglob("*") if path.is_file() and below / "postgres" not in path.parents]
        return self.stage.looked_through.holding(files, CANARY)


def play(stage: Stage, act: Callable[[Run], None], seed: int, *, bound: float = BOUND) -> Outcome:
    """Have the fault happen, make everything well again, and judge what came of it."""
    began = time.monotonic()
    run = Run(stage, seed)
    try:
        act(run)
    except Exception as error:
        run.record.broken_off = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-3)}"
    finally:
        with suppress(Exception):
            connection.close()  # its server may be another one now
        stage.heal()
    run.settle(bound)
    run.record.wrong += [f"{log} tells of a process that gave up by itself" for log in stage.gave_up()]
    stage.only_one_of_each()
    run.record.found_in_the_clear = run.in_the_clear()
    return Outcome(run.record, invariants.violations(run.record), time.monotonic() - began)
