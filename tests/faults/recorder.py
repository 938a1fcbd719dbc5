"""What was tried, what was acknowledged, what became of it: the record of one run, in the manner of Jepsen's total
queue (lost = acknowledged and not delivered, unexpected = delivered and never attempted, recovered = delivered though
never acknowledged)."""

import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.parser import BytesHeaderParser
from functools import cached_property
from typing import Any

from tests.smtp_server import Mail

from .client import Answer, File


@dataclass
class Letter:
    """One attempt at sending a message over the page."""

    id: uuid.UUID
    to: list[str]
    subject: str
    body: str
    files: list[File]
    tried_at: float = field(default_factory=time.time)
    acknowledged: bool = False
    refused: bool = False  # with an answer that says so: then nothing may have been sent
    recalled_at: float | None = None  # when the answer to the recall was there
    ended: bool = False  # expired or purged in the course of the run: copies need not open any more


@dataclass(frozen=True)
class Arrival:
    """What the mail server was handed, to the final dot."""

    message_id: str
    date: str
    recipient: str
    accepted: bool
    at: float


def arrivals(mails: Iterable[Mail], accepted: Iterable[Mail]) -> list[Arrival]:
    taken = {id(mail) for mail in accepted}
    found = []
    for mail in mails:
        headers = BytesHeaderParser().parsebytes(mail.raw)
        found.append(Arrival(headers["Message-ID"], headers["Date"], mail.recipient, id(mail) in taken, mail.at))
    return found


@dataclass
class Record:
    """Everything the invariants judge. `doubts`: how many mails the faults may have left in doubt."""

    organization: Any
    letters: list[Letter] = field(default_factory=list)
    probes: set[uuid.UUID] = field(default_factory=set)  # ids of mails put into the outbox without a message
    answers: list[Answer] = field(default_factory=list)
    arrived: list[Arrival] = field(default_factory=list)
    doubts: int = 0
    may_fail: set[str] = field(default_factory=set)  # addresses to which mail is finally refused
    degraded: bool = False  # 503 is an answer while the fault lasts
    web_is_killed: bool = False  # no answer at all is one, too
    web_is_unaffected: bool = False  # every page within a second
    unfinished: int = 0  # what had not come to an end within the bound
    settled_after: float = 0.0
    broken_off: str = ""  # why the fault itself could not be played to its end
    tickets: Counter[uuid.UUID] = field(default_factory=Counter)  # successes of each credential that was tried
    found_in_the_clear: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)  # what a fault found besides

    @cached_property
    def rows(self) -> list[Any]:
        from portal.models import OutgoingMail

        return list(OutgoingMail.objects.filter(organization=self.organization))

    @cached_property
    def row_of(self) -> dict[str, Any]:
        return {row.message_id: row for row in self.rows}

    @cached_property
    def messages(self) -> dict[uuid.UUID, Any]:
        from messaging.models import Message

        return Message.objects.in_bulk([letter.id for letter in self.letters])

    @cached_property
    def arrived_by_row(self) -> dict[str, list[Arrival]]:
        """Accepted ones, and where the server's answer was lost, perhaps accepted ones."""
        by_row: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in self.arrived:
            if arrival.message_id in self.row_of:
                by_row[arrival.message_id].append(arrival)
        return by_row

    def is_sent(self, letter: Letter) -> bool:
        message = self.messages.get(letter.id)
        return message is not None and message.sent_at is not None


@dataclass
class Tally:
    lost: int = 0
    duplicated: int = 0
    unexpected: int = 0
    late: int = 0
    recovered: int = 0

    def __str__(self) -> str:
        return (
            f"lost {self.lost}  duplicated {self.duplicated}  unexpected {self.unexpected}  late {self.late}  "
            f"recovered {self.recovered}"
        )

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.lost + other.lost,
            self.duplicated + other.duplicated,
            self.unexpected + other.unexpected,
            self.late + other.late,
            self.recovered + other.recovered,
        )


def tally(record: Record) -> Tally:
    """Counted in mails, and in messages where there is not even a mail."""
    lost = sum(letter.acknowledged and not record.is_sent(letter) for letter in record.letters)
    lost += sum(
        row.state == "sent" and not any(arrival.accepted for arrival in record.arrived_by_row[row.message_id])
        for row in record.rows
    )
    return Tally(
        lost=lost,
        duplicated=sum(
            max(0, sum(arrival.accepted for arrival in arrived) - 1) for arrived in record.arrived_by_row.values()
        ),
        unexpected=sum(arrival.message_id not in record.row_of for arrival in record.arrived),
        late=record.unfinished,
        recovered=sum(record.is_sent(letter) and not letter.acknowledged for letter in record.letters),
    )
