from typing import Any

from django.core.management.base import BaseCommand

from portal import keyring, rotation


class Command(BaseCommand):
    help = (
        "Wrap every key under the first master key of MASTER_KEYS_FILE, and say which of the others nothing needs any "
        "more. Run it after putting a new master key on the file's first line. It may be stopped and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotation.rewrap_all()
        needed = rotation.still_needed()
        self.stdout.write(f"{done} keys wrapped anew under {next(iter(keyring.master_keys()))}.")
        for key_id in keyring.master_keys():
            if key_id not in needed:
                self.stdout.write(
                    f"Master key {key_id} wraps nothing now. Backups of the database from before may still need it: "
                    "keep it with them, and take it out of the file."
                )
        for key_id in sorted(needed - set(keyring.master_keys())):
            self.stderr.write(f"Master key {key_id} is still needed, and is not in the file. Put it back.")
