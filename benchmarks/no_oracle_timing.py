"""Can a stranger tell by the clock whether an address has an account?

    python benchmarks/no_oracle_timing.py --samples 2000

Posts the log-in, reset and Send-me-my-link forms for addresses of each kind, interleaved so that whatever slows the
machine slows all alike, with the real password hasher and a test database of its own (DATABASE_URL chooses which).
Reports, for each kind against an unknown address, the difference of medians in milliseconds with its 95 % confidence
(bootstrap). In-process: no network blurs it, so it is what the best-placed stranger could see at most.
"""

import argparse
import os
import random
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

LIMIT_MS = 5.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--samples", type=int, default=2000, help="of each kind of address")
    arguments.add_argument("--form", choices=["log-in", "reset", "link"], action="append")
    options = arguments.parse_args()

    import django
    from django.conf import settings

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    print(f"{connection.vendor}, {options.samples} samples of each kind")
    try:
        people = _people()
        for form in options.form or ["log-in", "reset", "link"]:
            _report(form, _measured(form, people, options.samples))
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


def _people() -> dict[str, str]:
    """Address by kind."""
    from accounts.models import Domain, User
    from portal import moments
    from portal.models import Organization

    now = moments.now()
    north, south = (Organization.objects.create(name=slug, slug=slug) for slug in ("north", "south"))
    kinds = {
        "active": {},
        "temporary": {"temporary_until": now + timedelta(days=1)},
        "expired": {"change_ordered_at": now},
        "locked": {"failures": 100},
        "disabled": {"disabled_at": now},
        "logon not allowed": {"allow_logon": False},
        "never set": {"password_set_at": None},
        "elsewhere": {},
    }
    addresses = {"unknown": "unknown@outside.example"}
    for kind, fields in kinds.items():
        organization = south if kind == "elsewhere" else north
        domain, _made = Domain.objects.get_or_create(organization=organization, name="outside.example")
        addresses[kind] = f"{kind.replace(' ', '-')}@outside.example"
        values = {"password_set_at": now} | fields
        user = User(organization=organization, domain=domain, address=addresses[kind], **values)
        if kind == "never set":
            user.set_unusable_password()
        else:
            user.set_password("a kettle on the seventh roof")
        user.save()
    return addresses


def _measured(form: str, people: dict[str, str], samples: int) -> dict[str, list[float]]:
    from django.test import Client

    from accounts.models import User

    url = {"log-in": "/p/north/", "reset": "/p/north/reset/", "link": "/send-link/"}[form]
    times: dict[str, list[float]] = {kind: [] for kind in people}
    order = list(people)
    client = Client()
    for number in range(-5, samples):  # the first rounds fill caches and count for nothing
        random.shuffle(order)
        for kind in order:
            # Each try is the first of its account: from the fifth on all are refused alike, without a comparison.
            User.objects.exclude(failures=100).update(failures=0, next_try_at=None)
            data = {"address": people[kind]} | ({"password": "wrong"} if form == "log-in" else {})
            network = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            started = time.perf_counter()
            client.post(url, data, REMOTE_ADDR=network)
            if number >= 0:
                times[kind].append((time.perf_counter() - started) * 1000)
    return times


def _report(form: str, times: dict[str, list[float]]) -> None:
    unknown = times.pop("unknown")
    print(f"\n{form}: unknown {statistics.median(unknown):.2f} ms")
    for kind, values in times.items():
        difference = statistics.median(values) - statistics.median(unknown)
        low, high = _confidence(values, unknown)
        verdict = "ok" if max(abs(low), abs(high)) < LIMIT_MS else "NOT under the limit"
        print(f"  {kind:18} {difference:+.3f} ms  (95 %: {low:+.3f} … {high:+.3f})  {verdict}")


def _confidence(values: list[float], others: list[float], rounds: int = 500) -> tuple[float, float]:
    differences = sorted(
        statistics.median(random.choices(values, k=len(values)))
        - statistics.median(random.choices(others, k=len(others)))
        for _round in range(rounds)
    )
    return differences[int(rounds * 0.025)], differences[int(rounds * 0.975)]


if __name__ == "__main__":
    main()
