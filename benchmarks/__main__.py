"""`python -m benchmarks`: measure everything, print the table, draw it. README.md here says how to read it."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg2

from . import report
from .bench import Bench, Size, prepared, say
from .figures import Line
from .rows import attachments, depth, inbox, open_message, purge, search, sending, table_size

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
}


def main() -> int:
    options = _options()
    size = Size(
        rounds=5 if options.quick else options.rounds,
        requests=40 if options.quick else 100,
        messages=5_000 if options.quick else 100_000,
        searched=10_000,
        copies=20_000 if options.quick else options.copies,
        large_mib=64 if options.quick else options.large_mib,
    )
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
    parser.add_argument(
        "--copies", type=int, default=1_000_000, help="in the largest table (10000000: the whole of it), and to purge"
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--large-mib", type=int, default=1024, help="the file that goes up and down")
    parser.add_argument(
        "--quick", action="store_true", help="little of everything, to see that it runs; keeps no figure"
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
