"""The fault suite: `python -m tests.faults`, `make faults`. What each run must leave intact is in invariants.py.

Needs PostgreSQL's programs, redis-server and, for the clocks, Debian's faketime; starts servers of its own in a
temporary folder and ends them again.
"""

import argparse
import signal
import sys
from pathlib import Path

from . import programme


def main() -> int:
    arguments = _arguments()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # told to end, it ends its jobs first
    try:
        return programme.perform(arguments)
    except KeyboardInterrupt:
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Play faults and judge what they left.")
    parser.add_argument("faults", nargs="*", help="numbers (F1) or parts of names; all of them unless said")
    parser.add_argument("--runs", type=int, default=20, help="how often each (20)")
    parser.add_argument("--short", action="store_true", help="each failpoint and a selection of the others, once")
    parser.add_argument("--meta", action="store_true", help="break the design on purpose: each must go red")
    parser.add_argument("--soak", type=float, default=30, help="minutes of F20 (30)")
    parser.add_argument("--backlog", type=int, default=100_000, help="mails of F15 (100000)")
    parser.add_argument("--seed", type=int, help="of an earlier call, to choose as it chose")
    parser.add_argument(
        "--pace",
        type=float,
        default=5,
        help="times faster than for real that leases, time-outs and the clock go (5)",
    )
    parser.add_argument("--jobs", type=int, default=1, help="installations side by side (1)")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep there what red runs' processes have logged")
    parser.add_argument("--list", action="store_true", help="name the faults and stop")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
