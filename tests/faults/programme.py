"""Which faults are played, how often, and what is printed."""

import argparse
import importlib
import os
import pkgutil
import random
import time
from pathlib import Path
from typing import Any

import django

from tests.in_the_clear import files_holding
from tests.smtp_server import ScriptedServer

from .stage import Stage


def perform(folder: Path, server: ScriptedServer, arguments: argparse.Namespace, seed: int) -> int:
    """The exit code: 0 when every run was clean (and in the meta-run, when every broken design went red)."""
    stage = Stage(folder, server, arguments)
    try:
        _set_up(stage)
        chosen = _chosen(arguments)
        if arguments.list:
            print("\n".join(str(fault) for fault in chosen))
            return 0
        print(f"seed {seed}, pace {arguments.pace:g}, {len(chosen)} faults")
        if arguments.meta:
            return _play_broken(stage, chosen, seed)
        return _play_all(stage, chosen, arguments, random.Random(seed))
    finally:
        stage.end()


def _set_up(stage: Stage) -> None:
    os.environ.update(stage.own_settings())
    django.setup()
    from django.core.management import call_command

    from .worker import register_kinds

    call_command("migrate", verbosity=0)
    register_kinds()


def _chosen(arguments: argparse.Namespace) -> list[Any]:
    from . import kinds

    for module in pkgutil.iter_modules(kinds.__path__):
        importlib.import_module(f"{kinds.__name__}.{module.name}")
    faults = sorted(kinds.ALL, key=lambda fault: int(fault.number[1:]))
    if arguments.short:
        faults = [fault for fault in faults if fault.is_short]
    wanted = arguments.faults
    return [f for f in faults if not wanted or any(w == f.number or w.lower() in f.name.lower() for w in wanted)]


def _play_all(stage: Stage, chosen: list[Any], arguments: argparse.Namespace, rng: random.Random) -> int:
    began = time.monotonic()
    stage.heal()
    print(f"ready after {time.monotonic() - began:.0f} s")
    red = 0
    for fault in [fault for fault in chosen if fault.lacks]:
        print(f"{fault.number:4}{fault.name:58} LEFT OUT, it needs {' and '.join(fault.lacks)}")
    for fault in [fault for fault in chosen if not fault.lacks]:
        runs = 1 if fault.once or arguments.short else arguments.runs
        red += _play(stage, fault, [rng.randrange(2**32) for _ in range(runs)])
    red += _is_in_the_clear(stage)
    print(f"{len(chosen)} faults, {red} red, {time.monotonic() - began:.0f} s")
    return 1 if red else 0


# Where it has to show, once that part of the design is gone, and which invariant must say so.
SHOWS_IN = {
    "early ack": ("killed at: mid DATA", "I2"),
    "no fence": ("worker stands still before its last word", "I3"),
    "no lease": ("ten workers on one row", "I3"),
    "no re-check before DATA": ("recalled while a worker is about to say DATA", "I5"),
    "publish without outbox": ("Redis killed in the middle, and empty when it is back", "I7"),
}


def _play_broken(stage: Stage, faults: list[Any], seed: int) -> int:
    """The meta-run: each broken design must be noticed, or the suite would not notice it being lost."""
    from . import designs, recorder
    from .run import play

    missed = 0
    for design in designs.DESIGNS:
        stage.built_as(design)
        name, invariant = SHOWS_IN[design]
        fault = next(one for one in faults if one.name == name)
        outcome = play(stage, fault.act, seed, bound=30)
        is_noticed = any(violation.startswith(f"{invariant}:") for violation in outcome.violations)
        missed += not is_noticed
        verdict = f"noticed by {invariant}" if is_noticed else "MISSED"
        print(f"{design:26} {verdict} in {fault}: {recorder.tally(outcome.record)}  took {outcome.seconds:.0f} s")
        for violation in outcome.violations[:3]:
            print(f"    {violation}")
    print(f"{len(designs.DESIGNS)} broken designs, {missed} missed")
    return 1 if missed else 0


def _is_in_the_clear(stage: Stage) -> bool:
    """I11 for the database's own files, its log of writes among them, once everything has been through it."""
    from .run import CANARY

    found = files_holding(stage.cluster.data, [CANARY])
    if found:
        print(f"    RED  I11: {found[:3]}")
    return bool(found)


def _play(stage: Stage, fault: Any, seeds: list[int]) -> bool:
    """All of a fault's runs in one line, and what was violated in each."""
    from . import recorder
    from .invariants import p95, slow_pages
    from .run import play

    outcomes = []
    for seed in seeds:
        outcome = play(stage, fault.act, seed)
        outcomes.append(outcome)
        for violation in outcome.violations[:12]:
            print(f"    RED  {fault}, seed {seed}: {violation}")
    records = [outcome.record for outcome in outcomes]
    slow = list(slow_pages(records))
    for violation in slow:
        print(f"    RED  {fault}: {violation}")
    red = sum(bool(outcome.violations) for outcome in outcomes) + len(slow)
    total = sum((recorder.tally(record) for record in records), recorder.Tally())
    verdict = f"RED in {red} of" if red else "green in"
    print(
        f"{fault.number:4}{fault.name:58} {verdict} {len(seeds)}  mails {sum(len(r.rows) for r in records)}  {total}  "
        f"settled {max(r.settled_after for r in records):.0f} s  "
        f"pages p95 {p95([answer for r in records for answer in r.answers]):.2f} s  "
        f"took {sum(outcome.seconds for outcome in outcomes):.0f} s"
    )
    return bool(red)
