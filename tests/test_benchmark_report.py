"""What `make bench` prints and draws says of each bound whether it holds."""

from xml.etree import ElementTree

import pytest

from benchmarks import report
from benchmarks.figures import Figure, Line, ratio

SVG = "{http://www.w3.org/2000/svg}"


def line(value: float, bound: float, *, at_least: bool = False) -> Line:
    return Line("Page <one> & two", Figure([value], "ms"), "floor 1 ms", value, "ms", bound, at_least)


@pytest.mark.parametrize(
    ("found", "holds"),
    [
        (line(1, 2), True),
        (line(2, 2), True),
        (line(2.1, 2), False),
        (line(3000, 2000, at_least=True), True),
        (line(1999, 2000, at_least=True), False),
    ],
)
def test_a_bound_holds_or_is_missed(found, holds):
    assert found.holds is holds
    assert (found.share_of_bound <= 1) is holds
    assert ("MISSED" in report.table([found])) is not holds
    drawing = ElementTree.fromstring(report.picture([found]))
    (bar,) = drawing.iter(f"{SVG}rect")
    assert bar.get("class") == ("bar" if holds else "over")
    assert "Page <one> & two" in {text.text for text in drawing.iter(f"{SVG}text")}


def test_figures_are_medians_with_their_spread():
    ours, floor = Figure([3, 2, 10], "ms"), Figure([2, 1, 2], "ms")
    assert str(ours) == "3.00 ms (2.00–10.0)"
    # 1.5, 2 and 5 times, round by round.
    assert ratio("Page", ours, floor, 2).value == 2
