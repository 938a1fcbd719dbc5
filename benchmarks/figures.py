"""What was measured: figures over rounds, and the lines of the table that compare two of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One quantity in all rounds: its median, and the spread from the lowest to the highest."""

    values: Sequence[float]
    unit: str

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        if len(self.values) == 1:
            return f"{_short(self.median)} {self.unit}"
        return f"{_short(self.median)} {self.unit} ({_short(min(self.values))}–{_short(max(self.values))})"


@dataclass(frozen=True)
class Line:
    """A line of the table: `value` is what is held against the bound, in the bound's own unit."""

    what: str
    ours: Figure
    beside: str  # the floor, in words and figures
    value: float
    unit: str  # "×", "ms", "MiB", "%" …
    bound: float
    at_least: bool = False  # the bound is a lower one

    @property
    def holds(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def share_of_bound(self) -> float:
        """1.0: exactly at the bound; below it is good, whichever way the bound is meant."""
        return self.bound / self.value if self.at_least else self.value / self.bound

    @property
    def value_in_words(self) -> str:
        return f"{_short(self.value)} {self.unit}"

    @property
    def bound_in_words(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {_short(self.bound)} {self.unit}"


def ratio(what: str, ours: Figure, floor: Figure, bound: float, *, floor_name: str = "floor") -> Line:
    """The line whose value is how many times the floor ours is."""
    return Line(what, ours, f"{floor_name} {floor}", times(ours, floor), "×", bound)


def times(ours: Figure, floor: Figure) -> float:
    """The median of the rounds' own quotients: the two sides of one round ran one after the other, on a machine in the
    same mood; from round to round that changes more than what is measured."""
    return statistics.median(one / other for one, other in zip(ours.values, floor.values, strict=True))


def _short(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
