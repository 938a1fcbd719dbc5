"""How long a request that sends to 500 people is busy with enqueuing: writing the mails' rows, and telling the broker.

Runs in a process of its own, with the portal's settings, through Django's own request handling: `python -m
benchmarks.enqueuing TIMES` prints {"rows": [ms, …], "broker": [ms, …]}.
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
    client.force_login(User.objects.get(address="sender0@inside.example"))
    spent: dict[str, list[float]] = {"rows": [], "broker": []}
    with (
        mock.patch.object(outbox, "enqueue_like", _timed(outbox.enqueue_like, spent["rows"])),
        mock.patch.object(outbox, "wake_up", _timed(outbox.wake_up, spent["broker"])),
    ):
        for turn in range(times):
            answer = client.post(f"/drafts/{uuid7()}/", letter(500, turn))
            assert answer.status_code == 302, answer.status_code
    print(json.dumps({name: values[1:] for name, values in spent.items()}))


def letter(recipients: int, turn: int, kind: str = "r") -> dict[str, str]:
    """What the compose page posts: to others each turn, so that nobody's hour is full (GROUPS of them)."""
    first = turn % GROUPS * 500
    to = ", ".join(f"{kind}{number}@outside.example" for number in range(first, first + recipients))
    body = "The papers you asked about are ready. " * 100
    return {"to": to, "subject": "About your papers", "body": body, "action": "send_confirmed"}


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
