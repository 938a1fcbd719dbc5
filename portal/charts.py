"""Pictures of numbers: bar charts laid out here and drawn as SVG by templates/admin/chart.html, with the numbers as
a table behind each. Lengths are units of the picture, which the page scales."""

from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 400, 140
TOP, BOTTOM = 18, 18  # room for the number above a bar and the label below it
MOST_NUMBERS = 12  # more bars than this, and only the highest carries its number


@dataclass(frozen=True)
class Bar:
    label: str
    value: int
    x: float
    y: float
    width: float
    height: float
    is_labelled: bool
    is_numbered: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        return self.y - 4


@dataclass(frozen=True)
class Chart:
    """Values in the order given; `what` heads their column in the table, `when` that of their labels."""

    title: str
    when: str
    what: str
    bars: list[Bar]
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = HEIGHT - BOTTOM

    @property
    def total(self) -> int:
        return sum(bar.value for bar in self.bars)

    def drawn(self) -> SafeString:
        return render_to_string("admin/chart.html", {"chart": self})


def bar_chart(title: str, when: str, what: str, points: list[tuple[str, int]]) -> Chart:
    """One bar for each (label, value)."""
    highest = max((value for _label, value in points), default=0)
    step = WIDTH / max(1, len(points))
    few = len(points) <= MOST_NUMBERS
    named = {0, len(points) - 1}
    bars = []
    for n, (label, value) in enumerate(points):
        height = round((HEIGHT - TOP - BOTTOM) * value / highest, 1) if highest else 0
        bars.append(
            Bar(
                label=label,
                value=value,
                x=round(n * step + step * 0.15, 1),
                y=HEIGHT - BOTTOM - height,
                width=round(step * 0.7, 1),
                height=height,
                is_labelled=n in named,
                is_numbered=bool(value) and (few or value == highest),
            )
        )
    return Chart(title, when, what, bars)
