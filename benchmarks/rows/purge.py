import dataclasses
import json
import os
import select
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.bench import Bench, say
from benchmarks.figures import Figure, Line, ratio
from benchmarks.server import ROOT

_PURGED, _DELETED = "purged", "deleted"  # databases


class _Slice(NamedTuple):
    """What one did in its slice of time."""

    copies: int
    seconds: float
    longest: float  # ms of its longest transaction

    @property
    def rate(self) -> float:
        return self.copies / self.seconds


def measured(bench: Bench) -> list[Line]:
    """What is past its retention, purged in slices: beside slices of bare DELETEs in a copy of the database, and while
    somebody looks into their inbox."""
    # Files of its own, so that it can be seen that none is left.
    own = {"ATTACHMENTS_DIR": str(bench.scratch / _PURGED)}
    bench = dataclasses.replace(bench, environment=bench.environment | own)
    with ExitStack() as stack:
        _fill(bench, stack)
        portal = stack.enter_context(_purger(bench, "portal", _PURGED))
        bare = stack.enter_context(_purger(bench, "bare", _DELETED))
        browsers = bench.browsers("small", stack.enter_context(bench.serve(_PURGED)))
        lines = _rounds(bench, portal, bare, lambda: next(browsers).get("/inbox/").seconds * 1000)
        if any((left := bench.run("benchmarks.purging", "left", database=_PURGED)).values()):
            raise SystemExit(f"Not everything was purged, so nothing measured counts: {left}")
    return lines


def _fill(bench: Bench, stack: ExitStack) -> None:
    say(f"{bench.size.copies:,} copies that are due, with their files")
    stack.callback(bench.databases.drop, _PURGED)
    stack.callback(bench.databases.drop, _DELETED)
    bench.databases.create(_PURGED, like="start")
    bench.run("benchmarks.purging", "fill", bench.size.copies, database=_PURGED)
    bench.databases.create(_DELETED, like=_PURGED)


def _rounds(bench: Bench, portal: "_Purger", bare: "_Purger", look: Callable[[], float]) -> list[Line]:
    """In turn until nothing is due: either side alone, looking at rest, looking while it is purged."""
    seconds = max(0.2, min(2.0, bench.size.copies / 500_000))
    ours, floor, accompanied = [], [], []
    at_rest, meanwhile = [], []
    for _ in range(40):  # the first ones fill caches
        look()
    while (alone := portal.run(seconds)).copies:
        ours.append(alone)
        floor.append(bare.run(seconds))
        before = _p95([look() for _ in range(bench.size.requests)])
        portal.begin(seconds)
        waits = [look()]
        while not portal.has_ended():
            waits.append(look())
        accompanied.append(portal.ended())
        if accompanied[-1].copies:
            at_rest.append(before)
            meanwhile.append(_p95(waits))
    copies = f"{bench.size.copies:,} copies"
    return [
        _rate(f"Purge of {copies}", ours, floor),
        _longest(f"Purge of {copies}: longest transaction", [*ours, *accompanied], floor),
        ratio(
            "Inbox while it is purged: p95", Figure(meanwhile, "ms"), Figure(at_rest, "ms"), 1.5, floor_name="at rest"
        ),
    ]


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]


def _rate(what: str, ours: list[_Slice], floor: list[_Slice]) -> Line:
    rate, bare = (Figure([one.rate for one in side if one.copies], "copies/s") for side in (ours, floor))
    return Line(what, rate, f"bare DELETE {bare}", 100 * rate.median / bare.median, "% of it", 40, at_least=True)


def _longest(what: str, ours: list[_Slice], floor: list[_Slice]) -> Line:
    """Of all, not the median."""
    longest, bare = (Figure([one.longest for one in side if one.copies], "ms") for side in (ours, floor))
    return Line(what, longest, f"bare DELETE {bare}", max(longest.values), "ms", 100)


class _Purger:
    """A process that purges for a slice of time whenever it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout

    def run(self, seconds: float) -> _Slice:
        self.begin(seconds)
        return self.ended()

    def begin(self, seconds: float) -> None:
        self._to.write(f"{seconds}\n")
        self._to.flush()

    def has_ended(self) -> bool:
        return bool(select.select([self._from], [], [], 0)[0])

    def ended(self) -> _Slice:
        return _Slice(*json.loads(self._from.readline()))


@contextmanager
def _purger(bench: Bench, kind: str, database: str) -> Iterator[_Purger]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.purging", kind],
        cwd=ROOT,
        env=os.environ | bench.environment | {"DATABASE_URL": bench.databases.url_of(database)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:  # closes its input, which ends it
        yield _Purger(process)
