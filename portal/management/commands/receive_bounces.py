"""Receive bounces until told to stop: an SMTP server for the domain BOUNCE_DOMAIN, at BOUNCE_LISTEN."""

import asyncio
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import bounce_receiver


class Command(BaseCommand):
    help = "Receive mail that comes back. Point the MX of BOUNCE_DOMAIN here, or have your mail server pass it on."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.BOUNCE_DOMAIN:
            raise CommandError("Set BOUNCE_DOMAIN: without it, mail leaves under no return path of its own.")
        host, _, port = settings.BOUNCE_LISTEN.rpartition(":")
        if not port.isdigit():
            raise CommandError("BOUNCE_LISTEN is address:port, such as 127.0.0.1:8025.")
        asyncio.run(bounce_receiver.serve(host.strip("[]"), int(port), _certificate()))


def _certificate() -> bounce_receiver.Certificate | None:
    chain, key = settings.BOUNCE_CERTIFICATE, settings.BOUNCE_CERTIFICATE_KEY
    if not chain:
        return None
    try:
        return bounce_receiver.Certificate(Path(chain), Path(key or chain))
    except OSError as error:  # ssl's errors are some
        raise CommandError(f"BOUNCE_CERTIFICATE and its key cannot be read: {error}") from error
