"""Which faults are played, how often, and what is printed."""

import argparse
import os
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import django

from .jobs import Jobs, Order, Report
from .recorder import Tally


def perform(arguments: argparse.Namespace) -> int:
    """The exit code: 0 when every run was clean (and in the meta-run, when every broken design went red)."""
    chosen = _chosen(arguments)
    if arguments.list:
        print("\n".join(map(str, chosen)))
        return 0
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"seed {seed}, pace {arguments.pace:g}, {len(chosen)} faults, jobs {arguments.jobs}")
    if arguments.meta:
        return _play_broken(arguments, seed)
    for fault in [fault for fault in chosen if fault.lacks]:
        print(f"{fault.number:4}{fault.name:58} LEFT OUT, it needs {' and '.join(fault.lacks)}")
    return _play_all([fault for fault in chosen if not fault.lacks], arguments, seed)


def _chosen(arguments: argparse.Namespace) -> list[Any]:
    # The faults' modules know the portal's models. Nothing is asked of a database here.
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    django.setup()
    from . import kinds

    wanted = arguments.faults
    return [
        fault
        for fault in kinds.known()
        if (fault.is_short or not arguments.short)
        and (not wanted or any(w == fault.number or w.lower() in fault.name.lower() for w in wanted))
    ]


def _play_all(chosen: Sequence[Any], arguments: argparse.Namespace, seed: int) -> int:
    began = time.monotonic()
    orders = _dealt(chosen, 1 if arguments.short else arguments.runs, seed)
    expected = {str(fault): sum(order.fault == str(fault) for order in orders) for fault in chosen}
    reports: dict[str, list[Report]] = defaultdict(list)
    red = 0
    with Jobs(min(arguments.jobs, len(orders)), arguments) as jobs:
        for done, report in enumerate(jobs.play(orders), 1):
            fault, number = report.order.fault, report.order.number
            for violation in report.violations[:12]:
                print(f"    RED  {fault}, run {number}: {violation}")
            reports[fault].append(report)
            if len(reports[fault]) == expected[fault]:
                red += _told(fault, reports[fault])
            if done % 100 == 0:
                print(f"    {done} of {len(orders)} runs after {time.monotonic() - began:.0f} s")
        found = jobs.end()
    if found:
        print(f"    RED  I11: {found[:3]}")
    red += bool(found)
    print(f"{len(chosen)} faults, {len(orders)} runs, {red} red, {time.monotonic() - began:.0f} s")
    return 1 if red else 0


def _dealt(chosen: Sequence[Any], runs: int, seed: int) -> list[Order]:
    """The long ones first, that the others go on beside them; then each fault once, and once more, so that those that
    are played side by side are different ones."""
    rounds = [(fault, 1) for fault in chosen if fault.once]
    rounds += [(fault, number) for number in range(1, runs + 1) for fault in chosen if not fault.once]
    return [Order(str(fault), number, _seed_of(seed, fault, number)) for fault, number in rounds]


def _seed_of(seed: int, fault: Any, number: int) -> int:
    """The same for the same run, whatever else is played."""
    return random.Random(f"{seed} {fault} {number}").randrange(2**32)


def _told(fault: str, reports: Sequence[Report]) -> bool:
    """All of a fault's runs in one line."""
    from .invariants import p95, slow_pages

    unaffected = [seconds for report in reports if report.web_is_unaffected for seconds in report.page_seconds]
    slow = list(slow_pages(unaffected))
    for violation in slow:
        print(f"    RED  {fault}: {violation}")
    red = sum(bool(report.violations) for report in reports) + len(slow)
    number, _, name = fault.partition(" ")
    print(
        f"{number:4}{name:58} {f'RED in {red} of' if red else 'green in'} {len(reports)}  "
        f"mails {sum(report.mails for report in reports)}  {sum((report.tally for report in reports), Tally())}  "
        f"settled {max(report.settled_after for report in reports):.0f} s  "
        f"pages p95 {p95([seconds for report in reports for seconds in report.page_seconds]):.2f} s  "
        f"took {sum(report.seconds for report in reports):.0f} s"
    )
    return bool(red)


# Where it has to show, once that part of the design is gone, and which invariant must say so.
SHOWS_IN = {
    "early ack": ("F1 killed at: mid DATA", "I2"),
    "no fence": ("F11 worker stands still before its last word", "I3"),
    "no lease": ("F10 ten workers on one row", "I3"),
    "no re-check before DATA": ("F12 recalled while a worker is about to say DATA", "I5"),
    "publish without outbox": ("F4 Redis killed in the middle, and empty when it is back", "I7"),
}


def _play_broken(arguments: argparse.Namespace, seed: int) -> int:
    """The meta-run: each broken design must be noticed, or the suite would not notice it being lost."""
    missed = 0
    orders = [Order(fault, 1, seed, design) for design, (fault, _invariant) in SHOWS_IN.items()]
    with Jobs(min(arguments.jobs, len(orders)), arguments) as jobs:
        for report in jobs.play(orders):
            design, invariant = report.order.design, SHOWS_IN[report.order.design][1]
            is_noticed = any(violation.startswith(f"{invariant}:") for violation in report.violations)
            missed += not is_noticed
            verdict = f"noticed by {invariant}" if is_noticed else "MISSED"
            print(f"{design:26} {verdict} in {report.order.fault}: {report.tally}  took {report.seconds:.0f} s")
            for violation in report.violations[:3]:
                print(f"    {violation}")
        jobs.end()
    print(f"{len(orders)} broken designs, {missed} missed")
    return 1 if missed else 0
