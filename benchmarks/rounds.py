"""Rounds: the same few requests to each side in turn, so that whatever slows the machine slows all alike."""

import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain

from .browser import Answer
from .figures import Figure
from .server import Server

Ask = Callable[[], list[Answer]]
TURN = 10  # requests to one side in one go


@dataclass(frozen=True)
class Side:
    """One of the things compared: what to ask, and whose processor time that costs."""

    server: Server
    ask: Ask


@dataclass(frozen=True)
class Measured:
    cpu: Figure  # ms of the workers' processors for what one `ask` asks
    p50: Figure  # ms until the last byte of it


def interleaved(sides: Mapping[str, Side], *, rounds: int, requests: int, warm: int = 40) -> dict[str, Measured]:
    """Ask each side so often in each round, in an order that changes; the first ones fill caches and do not count."""
    for side in sides.values():
        for _ in range(warm):
            _checked(side.ask())
    rows = [_round(sides, requests) for _ in range(rounds)]
    return {
        name: Measured(
            Figure([1000 * sum(turn.cpu for turn in row[name]) / requests for row in rows], "ms"),
            Figure([1000 * statistics.median(chain(*(turn.waits for turn in row[name]))) for row in rows], "ms"),
        )
        for name in sides
    }


@dataclass(frozen=True)
class _Turn:
    """What a few requests to one side took, in seconds."""

    cpu: float
    waits: list[float]


def _round(sides: Mapping[str, Side], requests: int) -> dict[str, list[_Turn]]:
    """The machine's mood changes within a second, so a side's requests of one round are not asked in one go."""
    turns: dict[str, list[_Turn]] = {name: [] for name in sides}
    for asked in range(0, requests, TURN):
        for name in random.sample(list(sides), len(sides)):
            turns[name].append(_turn(sides[name], min(TURN, requests - asked)))
    return turns


def _turn(side: Side, requests: int) -> _Turn:
    before = side.server.cpu_seconds()
    waits = [sum(answer.seconds for answer in _checked(side.ask())) for _ in range(requests)]
    return _Turn(side.server.cpu_seconds() - before, waits)


def _checked(answers: list[Answer]) -> list[Answer]:
    for answer in answers:
        if answer.status not in (200, 302):
            raise SystemExit(f"A request was answered {answer.status}; nothing measured with it counts.")
    return answers
