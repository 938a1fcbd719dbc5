"""Several installations side by side, each in a child process of its own with servers of its own: most of a fault is
waiting, so that one machine bears several at a time.

A child is told what to play, one run after the other, over a pipe, and answers with a Report. It ends everything that
it started when it is told so, when it is interrupted, and when the parent is gone.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Self

from tests.in_the_clear import files_holding
from tests.smtp_server import running

from .designs import WHOLE
from .recorder import Tally, tally

READY = "ready"
END_SECONDS = 60  # for a child that is to end: its run is broken off, its servers are stopped


@dataclass(frozen=True)
class Order:
    """One run of a fault; `number` counts a fault's runs from 1."""

    fault: str
    number: int
    seed: int
    design: str = WHOLE


@dataclass(frozen=True)
class Report:
    """What is told of a run."""

    order: Order
    violations: list[str]
    seconds: float
    tally: Tally = field(default_factory=Tally)
    mails: int = 0
    settled_after: float = 0.0
    page_seconds: list[float] = field(default_factory=list)
    web_is_unaffected: bool = False


class Jobs:
    """So many children, while the block lasts."""

    def __init__(self, count: int, arguments: argparse.Namespace) -> None:
        context = get_context("spawn")
        self._children = {}
        for _ in range(count):
            here, there = context.Pipe()
            child = context.Process(target=_child, args=[there, arguments])
            child.start()
            there.close()
            self._children[here] = child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for line, child in self._children.items():
            if child.exitcode is None and not line.closed:
                child.terminate()
        for child in self._children.values():
            child.join(END_SECONDS)

    def play(self, orders: Iterable[Order]) -> Iterator[Report]:
        """Each is dealt to the next child that is free; reports as they come."""
        left, lines = iter(orders), list(self._children)
        while lines:
            for line in wait(lines):
                assert isinstance(line, Connection)
                try:
                    said = line.recv()
                except EOFError as error:
                    raise SystemExit("one of the jobs has ended; what it wrote above says why") from error
                if said != READY:
                    yield said
                order = next(left, None)
                line.send(order)
                if order is None:
                    lines.remove(line)

    def end(self) -> list[str]:
        """Tell each that nothing more is to be played: what they found in the clear at the very end (I11)."""
        found = [one for line in self._children for one in line.recv()]
        for line in self._children:
            line.close()
        return found


def _child(line: Connection, arguments: argparse.Namespace) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _over)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    # EOFError, BrokenPipeError: the parent is gone.
    with (
        suppress(EOFError, BrokenPipeError),
        tempfile.TemporaryDirectory(prefix="securemsg-faults-", ignore_cleanup_errors=True) as folder,
        running() as server,
    ):
        from .stage import Stage

        stage = Stage(Path(folder), server, arguments)
        try:
            _set_up(stage)
            line.send(READY)
            while (order := line.recv()) is not None:
                line.send(_played(stage, order))
            line.send(_in_the_clear(stage))
        finally:
            stage.end()


def _over(*_: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # what ends servers is not to be interrupted
    raise SystemExit(130)


def _set_up(stage: Any) -> None:
    import django

    os.environ.update(stage.own_settings())
    django.setup()
    from django.core.management import call_command

    from .worker import register_kinds

    call_command("migrate", verbosity=0)
    register_kinds()
    stage.heal()


def _played(stage: Any, order: Order) -> Report:
    from .kinds import named
    from .run import BOUND, play

    if order.design != stage.design:
        stage.built_as(order.design)
    outcome = play(stage, named(order.fault).act, order.seed, bound=BOUND if order.design == WHOLE else 30)
    if outcome.violations and stage.options.logs:
        name = f"{order.fault}, run {order.number}".replace("/", " ")
        shutil.copytree(stage.folder, stage.options.logs / name, ignore=_all_but_logs, dirs_exist_ok=True)
    record = outcome.record
    return Report(
        order=order,
        violations=outcome.violations,
        seconds=outcome.seconds,
        tally=tally(record),
        mails=len(record.rows),
        settled_after=record.settled_after,
        page_seconds=[answer.seconds for answer in record.answers],
        web_is_unaffected=record.web_is_unaffected,
    )


def _all_but_logs(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".log")]


def _in_the_clear(stage: Any) -> list[str]:
    """I11 for the database's own files, its log of writes among them, once everything has been through it."""
    from .run import CANARY

    return files_holding(stage.cluster.data, [CANARY])
