"""The faults, by kind; each module adds its own to ALL."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..run import Run


@dataclass(frozen=True)
class Fault:
    number: str  # as in the matrix of faults, F1 to F20
    name: str
    act: Callable[[Run], None]
    is_short: bool = False  # played in the short run
    once: bool = False  # long: played once, however many runs are asked for
    needs: str = ""  # programs, and "root"; where they are not, it is left out and that is said

    @property
    def lacks(self) -> list[str]:
        return [
            need for need in self.needs.split() if not (os.geteuid() == 0 if need == "root" else shutil.which(need))
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


ALL: list[Fault] = []


def fault(
    number: str, name: str, *, short: bool = False, once: bool = False, needs: str = "", **kwargs: Any
) -> Callable[..., Any]:
    """Note a function as a fault; with further arguments, the function with those."""

    def note(act: Callable[..., None]) -> Callable[..., None]:
        ALL.append(Fault(number, name, partial(act, **kwargs) if kwargs else act, short, once, needs))
        return act

    return note
