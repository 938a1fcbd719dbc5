"""The table, as text and as a picture for a README that is read by day and by night."""

import platform
import timeit
from collections.abc import Sequence
from html import escape
from pathlib import Path

from .figures import Line

_ROW, _LEFT, _WIDE, _TOP = 26, 340, 330, 46
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .quiet { fill: #57606a } .bar { fill: #2f6f5e } .over { fill: #b3261e }
  .bound { stroke: #57606a; stroke-dasharray: 3 3 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9da7b3 } .bar { fill: #5fb39a } .over { fill: #ff8a80 }
    .bound { stroke: #9da7b3 }
  }
"""


def table(lines: Sequence[Line]) -> str:
    """Markdown."""
    head = "| what | here | beside it | comes to | bound | |\n|---|---|---|---|---|---|"
    rows = [
        f"| {line.what} | {line.ours} | {line.beside} | {line.value_in_words} | {line.bound_in_words} "
        f"| {'holds' if line.holds else 'MISSED'} |"
        for line in lines
    ]
    return "\n".join([head, *rows])


def picture(lines: Sequence[Line]) -> str:
    """SVG: how much of each bound is used up; a bar that crosses the dashed line misses its bound."""
    height = _TOP + _ROW * len(lines) + 12
    scale = _WIDE / max(1.25, *(line.share_of_bound for line in lines))
    at_bound = _LEFT + scale
    bars = "\n".join(_bar(line, _TOP + _ROW * number, scale) for number, line in enumerate(lines))
    label = "; ".join(f"{line.what}: {line.value_in_words}, bound {line.bound_in_words}" for line in lines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 {height}" role="img" aria-label="{escape(label)}">\n'
        f"<style>{_STYLE}</style>\n"
        f'<text x="{at_bound}" y="20" text-anchor="middle" class="quiet">bound</text>\n'
        f'<path class="bound" d="M{at_bound} 28V{height - 8}"/>\n{bars}\n</svg>\n'
    )


def _bar(line: Line, y: int, scale: float) -> str:
    kind, width = ("bar" if line.holds else "over"), max(2.0, line.share_of_bound * scale)
    words = f"{line.value_in_words} ({line.bound_in_words})"
    return (
        f'<text x="{_LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(line.what)}</text>'
        f'<rect class="{kind}" x="{_LEFT}" y="{y + 2}" width="{width:.1f}" height="16" rx="3"/>'
        f'<text x="{max(_LEFT + width, _LEFT + scale) + 10:.1f}" y="{y + 14}" class="quiet">{escape(words)}</text>'
    )


def machine() -> str:
    """What it was measured on, and how quick that is: where a bound is a bare time, it tells machines apart."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores, model = len(models), (models or [platform.machine()])[0]
    million = min(timeit.repeat("for _ in range(1_000_000): pass", number=1, repeat=9)) * 1000
    return f"{model}, {cores} cores, Python {platform.python_version()} (counts to a million in {million:.0f} ms)"
