"""Uninstall what the portal does not need at run time: the lock file also holds the developers' tools.

Run once while the image is built, inside the environment that requirements.lock was installed into.
"""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement

KEPT_ANYWAY = {"pip", "packaging"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(requirements: list[str]) -> set[str]:
    """The names of these requirements and of everything they stand on, here and now."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        requirement = waiting.pop()
        key = (canonical(requirement.name), frozenset(requirement.extras))
        if key in found:
            continue
        try:
            needs = distribution(requirement.name).requires or []
        except PackageNotFoundError:
            sys.exit(f"{requirement.name} is needed and not installed")
        found.add(key)
        for text in needs:
            inner = Requirement(text)
            if not inner.marker or any(inner.marker.evaluate({"extra": extra}) for extra in {"", *requirement.extras}):
                waiting.append(inner)
    return {name for name, _ in found}


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    keep = needed(project["dependencies"]) | KEPT_ANYWAY
    superfluous = sorted({canonical(found.metadata["Name"]) for found in distributions()} - keep)
    subprocess.run([sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *superfluous], check=True)  # noqa: S603
    print(f"Kept {len(keep)} packages, removed {len(superfluous)}.")
