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
        mock.patch.object(outbox.bulk, "insert", _timed(outbox.bulk.insert, spent["rows"], only=outbox.OutgoingMail)),
        mock.patch.object(outbox, "wake_up", _timed(outbox.wake_up, spent["broker"])),
    ):
        for _ in range(times):
            answer = client.post(f"/drafts/{uuid7()}/", letter(500))
            assert answer.status_code == 302, answer.status_code
    print(json.dumps({name: values[1:] for name, values in spent.items()}))


def letter(recipients: int) -> dict[str, str]:
    """What the compose page posts."""
    to = ", ".join(f"r{number}@outside.example" for number in range(recipients))
    body = "The papers you asked about are ready. " * 100
    return {"to": to, "subject": "About your papers", "body": body, "action": "send_confirmed"}


def _timed(call: Callable[..., Any], spent: list[float], only: type | None = None) -> Callable[..., Any]:
    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*arguments, **options)
        finally:
            if only is None or isinstance(arguments[0][0], only):
                spent.append((time.perf_counter() - began) * 1000)

    return timed


if __name__ == "__main__":
    main(int(sys.argv[1]))
