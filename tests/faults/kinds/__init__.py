"""The faults, by kind; each module adds its own to ALL."""

import importlib
import os
import pkgutil
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


def known() -> list[Fault]:
    """All of them, in the order of the matrix. Needs Django set up."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return sorted(ALL, key=lambda fault: int(fault.number[1:]))


def named(name: str) -> Fault:
    """By its number and name, which no two have in common."""
    (found,) = [fault for fault in known() if str(fault) == name]
    return found


def fault(
    number: str, name: str, *, short: bool = False, once: bool = False, needs: str = "", **kwargs: Any
) -> Callable[..., Any]:
    """Note a function as a fault; with further arguments, the function with those."""

    def note(act: Callable[..., None]) -> Callable[..., None]:
        ALL.append(Fault(number, name, partial(act, **kwargs) if kwargs else act, short, once, needs))
        return act

    return note
