"""Make the floor's tables and rows: `python -m benchmarks.floor.prepare MESSAGES`. Prints the session's cookie."""

import os
import sys
from datetime import UTC, datetime

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.floor.settings"


def main(messages: int) -> None:
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)  # what has no migrations stands on what has
    user = User.objects.create(username="reader")
    _lines(user.pk, messages)
    _sealed(user.pk)
    _file()
    client = Client()
    client.force_login(user)
    print("; ".join(f"{name}={cookie.value}" for name, cookie in client.cookies.items()))


def _lines(user: int, count: int) -> None:
    from .models import Line

    at = datetime.now(UTC)
    rows = (
        Line(owner_id=user, who=f"Sender {n % 20}", subject=f"About matter {n} of this month", at=at)
        for n in range(count)
    )
    Line.objects.bulk_create(rows, batch_size=5000)


def _sealed(user: int) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from .models import Sealed
    from .views import KEY

    cipher, text = AESGCM(KEY), b"a word and another " * 216
    rows = []
    for _ in range(10_000):
        nonce = os.urandom(12)
        rows.append(Sealed(owner_id=user, value=nonce + cipher.encrypt(nonce, text[:4096], None)))
    Sealed.objects.bulk_create(rows, batch_size=500)


def _file() -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from .views import CHUNK, FILE_BYTES, KEY

    cipher, chunk = AESGCM(KEY), os.urandom(CHUNK)
    with open(os.environ["FLOOR_FILE"], "wb") as file:
        for position in range(FILE_BYTES // CHUNK):
            file.write(cipher.encrypt(position.to_bytes(12, "big"), chunk, None))


if __name__ == "__main__":
    main(int(sys.argv[1]))
