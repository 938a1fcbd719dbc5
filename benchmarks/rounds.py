"""Rounds: the same few requests to each side in turn, so that whatever slows the machine slows all alike."""

import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .browser import Answer
from .figures import Figure
from .server import Server

Ask = Callable[[], list[Answer]]


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
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    p50: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            used, middle = _round(sides[name], requests)
            cpu[name].append(used)
            p50[name].append(middle)
    return {name: Measured(Figure(cpu[name], "ms"), Figure(p50[name], "ms")) for name in sides}


def _round(side: Side, requests: int) -> tuple[float, float]:
    before = side.server.cpu_seconds()
    seconds = [sum(answer.seconds for answer in _checked(side.ask())) for _ in range(requests)]
    used = (side.server.cpu_seconds() - before) / requests
    return used * 1000, statistics.median(seconds) * 1000


def _checked(answers: list[Answer]) -> list[Answer]:
    for answer in answers:
        if answer.status not in (200, 302):
            raise SystemExit(f"A request was answered {answer.status}; nothing measured with it counts.")
    return answers
