"""`python -m benchmarks`: measure everything, print the table, draw it. README.md here says how to read it."""

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg2

from . import report
from .bench import Bench, Size, prepared, say
from .figures import Line
from .rows import attachments, depth, inbox, notifications, open_message, purge, search, sending, table_size

HERE = Path(__file__).resolve().parent
ROWS: dict[str, Callable[[Bench], list[Line]]] = {
    "inbox": inbox.measured,
    "table_size": table_size.measured,
    "depth": depth.measured,
    "open_message": open_message.measured,
    "sending": sending.measured,
    "attachments": attachments.measured,
    "search": search.measured,
    "purge": purge.measured,
    "notifications": notifications.measured,
}


_WHOLE = Size(
    rounds=15, requests=100, messages=100_000, searched=10_000, copies=1_000_000, large_mib=1024, mails=100_000
)
_QUICK = Size(rounds=5, requests=40, messages=5_000, searched=10_000, copies=20_000, large_mib=64, mails=6_000)


def main() -> int:
    options = _options()
    usual = _QUICK if options.quick else _WHOLE
    told = {name: getattr(options, name) for name in ("rounds", "copies", "large_mib", "mails")}
    size = replace(usual, **{name: value for name, value in told.items() if value is not None})
    lines: list[Line] = []
    with prepared(size, _required("DATABASE_URL"), _required("BROKER_URL")) as bench:
        for name in options.row or ROWS:
            say(name)
            lines += ROWS[name](bench)
    print(f"\n{_measured_on(size)}\n\n{report.table(lines)}")
    if not options.quick and not options.row:
        (HERE / "figures.md").write_text(f"{_measured_on(size)}\n\n{report.table(lines)}\n")
        (HERE / "figures.svg").write_text(report.picture(lines))
    return 0 if all(line.holds for line in lines) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--copies", type=int, help="in the largest table (10000000: the whole of it), and to purge")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--large-mib", type=int, help="the file that goes up and down")
    parser.add_argument("--mails", type=int, help="notifications in the backlog")
    parser.add_argument(
        "--quick", action="store_true", help="little of everything, but what is told here; keeps no figure"
    )
    parser.add_argument("--row", choices=ROWS, action="append", help="only this one (again for more); keeps no figure")
    return parser.parse_args()


def _required(name: str) -> str:
    if name not in os.environ:
        sys.exit(f"Set {name}: the benchmark runs on PostgreSQL and Redis, in databases that it makes beside yours.")
    return os.environ[name]


def _measured_on(size: Size) -> str:
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    version = connection.server_version // 10_000
    connection.close()
    return (
        f"{report.machine()}, PostgreSQL {version}, two gunicorn workers; median of {size.rounds} rounds "
        "(lowest–highest), both sides in turn."
    )


if __name__ == "__main__":
    sys.exit(main())
