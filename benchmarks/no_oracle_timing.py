"""Can a stranger tell by the clock whether an address has an account?

    python benchmarks/no_oracle_timing.py                         2,000 samples of each kind, without the hash: minutes
    python benchmarks/no_oracle_timing.py --form log-in --real-hash --samples 200    with Argon2, about 10 minutes

Posts the log-in, reset and Send-me-my-link forms for addresses of each kind, interleaved in an order that is shuffled
anew each round, so that whatever slows the machine slows all alike, with a test database of its own (DATABASE_URL
chooses which). Reports, for each kind against an unknown address, the difference of medians in milliseconds with its
95 % confidence (bootstrap); ends with 1 if any may reach the limit. In-process: no network blurs it, so it is what the
best-placed stranger could see at most. The machine should be doing nothing else: its load is printed.

Every try at the log-in makes one password hash of the same parameters, whoever it is for (tests/attacks/
test_no_oracle.py counts them), so what may differ is the portal's own work around it. That is what is measured unless
--real-hash is given: a hash of a tenth of a second would drown it in its own noise, and 2,000 of each kind take hours.
The run with the real hash shows that the two ways to make it, comparing and the dummy, cost the same.
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
FORMS = {"log-in": "/p/north/", "reset": "/p/north/reset/", "link": "/send-link/"}
PROGRESS_EVERY = 10  # seconds


def main() -> int:
    options = _options()

    import django
    from django.conf import settings

    if options.real_hash:
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    django.setup()
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    setup_test_environment()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    hashing = "with Argon2" if options.real_hash else "without the hash"
    print(f"{connection.vendor}, {options.samples} samples of each kind, log-in {hashing}; {_load()}")
    try:
        people = _people()
        chosen = {kind: people[kind] for kind in people if kind in {"unknown", *(options.only or people)}}
        results = [_report(form, _measured(form, chosen, options.samples)) for form in options.form or FORMS]
        print(f"\n{_load()}")
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()
    return 0 if all(results) else 1


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--samples", type=int, default=2000, help="of each kind of address")
    arguments.add_argument("--form", choices=FORMS, action="append", help="again for more; all of them unless given")
    arguments.add_argument("--only", action="append", metavar="KIND", help="besides unknown, such as locked")
    arguments.add_argument("--real-hash", action="store_true", help="Argon2 as in production")
    return arguments.parse_args()


def _load() -> str:
    return "load average " + " ".join(f"{load:.2f}" for load in os.getloadavg())


def _people() -> dict[str, str]:
    """Address by kind."""
    from accounts import credentials
    from accounts.models import Domain, User
    from portal import moments
    from portal.models import Organization

    now = moments.now()
    north, south = (Organization.objects.create(name=slug, slug=slug) for slug in ("north", "south"))
    kinds = {
        "active": {},
        "temporary": {"temporary_until": now + timedelta(days=1)},
        "first visit": {"password_set_at": None},
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
        if kind in ("never set", "first visit"):
            user.set_unusable_password()
        else:
            user.set_password("a kettle on the seventh roof")
        user.save()
        if kind == "first visit":
            credentials.first_visit_mails([user], due_at=now)
    return addresses


def _measured(form: str, people: dict[str, str], samples: int) -> dict[str, list[float]]:
    from django.test import Client

    from accounts.models import User

    url = FORMS[form]
    times: dict[str, list[float]] = {kind: [] for kind in people}
    order = list(people)
    client = Client()
    began = said = time.perf_counter()
    for number in range(-5, samples):  # the first rounds fill caches and count for nothing
        random.shuffle(order)
        if number > 0 and time.perf_counter() - said > PROGRESS_EVERY:
            said = time.perf_counter()
            left = (said - began) / number * (samples - number)
            print(f"  {form}: {number} of {samples}, {left / 60:.1f} minutes left", file=sys.stderr, flush=True)
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


def _report(form: str, times: dict[str, list[float]]) -> bool:
    """Whether no kind can be told from an unknown address within the limit."""
    unknown = times.pop("unknown")
    print(f"\n{form}: unknown {statistics.median(unknown):.2f} ms")
    all_under = True
    for kind, values in times.items():
        difference = statistics.median(values) - statistics.median(unknown)
        low, high = _confidence(values, unknown)
        is_under = max(abs(low), abs(high)) < LIMIT_MS
        all_under &= is_under
        verdict = f"under {LIMIT_MS:g} ms" if is_under else f"NOT under {LIMIT_MS:g} ms"
        print(f"  {kind:18} {difference:+.3f} ms  (95 %: {low:+.3f} … {high:+.3f})  {verdict}")
    return all_under


def _confidence(values: list[float], others: list[float], rounds: int = 500) -> tuple[float, float]:
    differences = sorted(
        statistics.median(random.choices(values, k=len(values)))
        - statistics.median(random.choices(others, k=len(others)))
        for _round in range(rounds)
    )
    return differences[int(rounds * 0.025)], differences[int(rounds * 0.975)]


if __name__ == "__main__":
    sys.exit(main())
