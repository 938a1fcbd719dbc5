"""`manage.py audit_public_key`: what the checkpoints of the audit log are verified with."""

from typing import Any

from django.core.management.base import BaseCommand

from portal import checkpoints


class Command(BaseCommand):
    help = "Print the public key (Ed25519, PEM) of the signatures in AUDIT_CHECKPOINTS_FILE. Keep it elsewhere."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(checkpoints.public_key(), ending="")
