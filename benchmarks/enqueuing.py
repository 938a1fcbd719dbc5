"""How long a request that sends to 500 people is busy with enqueuing: writing the mails' rows, and telling the broker.

Runs in a process of its own, with the portal's settings, through Django's own request handling: `python -m
benchmarks.enqueuing TIMES` prints {"rows": [ms, …], "broker": [ms, …], "floor": [ms, …]}; the floor is Django's
bulk_create of as many such rows, which are there already.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from .mailboxes import GROUPS

os.environ["DJANGO_SETTINGS_MODULE"] = "securemsg.settings"


def main(times: int) -> None:
    import django

    django.setup()
    from django.test import Client

    from accounts.models import User
    from portal import outbox
    from portal.ids import uuid7

    client = Client(HTTP_HOST="127.0.0.1")
    sender = User.objects.get(address="sender0@inside.example")
    client.force_login(sender)
    spent: dict[str, list[float]] = {"rows": [], "broker": [], "floor": []}
    with (
        mock.patch.object(outbox, "enqueue_like", _timed(outbox.enqueue_like, spent["rows"])),
        mock.patch.object(outbox, "wake_up", _timed(outbox.wake_up, spent["broker"])),
    ):
        for turn in range(times):
            answer = client.post(f"/drafts/{uuid7()}/", letter(500, turn))
            assert answer.status_code == 302, answer.status_code
            _timed(_bulk_create, spent["floor"])(_mails(sender.organization))
    print(json.dumps({name: values[1:] for name, values in spent.items()}))


def letter(recipients: int, turn: int, kind: str = "r") -> dict[str, str]:
    """What the compose page posts: to others each turn, so that nobody's hour is full (GROUPS of them)."""
    first = turn % GROUPS * 500
    bcc = ", ".join(f"{kind}{number}@outside.example" for number in range(first, first + recipients))
    body = "The papers you asked about are ready. " * 100
    return {"bcc": bcc, "subject": "About your papers", "body": body, "action": "send"}


def _mails(organization: Any) -> list[Any]:
    from portal import moments, outbox
    from portal.ids import uuid7s

    now = moments.now()
    return [
        outbox.new_mail(
            organization=organization,
            kind="floor",
            about=about,
            to_address=f"r{number}@outside.example",
            dedupe_key=f"floor:{about}:{about}",
            due_at=now,
        )
        for number, about in enumerate(uuid7s(500))
    ]


def _bulk_create(mails: list[Any]) -> None:
    from django.db import transaction

    from portal.models import OutgoingMail

    with transaction.atomic():
        OutgoingMail.objects.bulk_create(mails)
        transaction.set_rollback(True)


def _timed(call: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            spent.append((time.perf_counter() - began) * 1000)

    return timed


if __name__ == "__main__":
    main(int(sys.argv[1]))
