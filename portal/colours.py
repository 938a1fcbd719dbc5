"""Colours an organisation may choose: what is made of them, and whether everybody can read what is written in them.

Contrast and its limit are those of WCAG 2.2, success criterion 1.4.3 (text: 4.5 to 1), computed from relative luminance
as that standard defines it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

AA = 4.5
BLACK, WHITE = "#000000", "#ffffff"
_STEP = 0.02


@dataclass(frozen=True)
class Ground:
    """What the portal's pages have behind and beside an accent; the same values as in static/css/tokens.css."""

    paper: str
    paper_shade: str
    paper_edge: str
    ink: str
    ink_soft: str
    # Towards which an accent is taken, and how far: for what is pointed at, and for the wash behind what is current.
    away: str
    plate: str  # behind a logo, which may be drawn in dark lines on nothing
    deeper: float
    wash: float


LIGHT = Ground("#ffffff", "#f3f6f6", "#e6ecec", "#13252a", "#4a5d62", BLACK, "transparent", deeper=0.3, wash=0.11)
DARK = Ground("#10181a", "#182326", "#223034", "#e6eeef", "#a9babd", WHITE, WHITE, deeper=0.4, wash=0.16)


@dataclass(frozen=True)
class Scheme:
    """An accent by day or by night, the text on it, and what is made of it."""

    ground: Ground
    accent: str
    text: str

    @property
    def deep(self) -> str:
        return mixed(self.accent, self.ground.away, self.ground.deeper)

    @property
    def wash(self) -> str:
        return mixed(self.ground.paper, self.accent, self.ground.wash)

    @property
    def backgrounds(self) -> tuple[str, ...]:
        """Whatever links and marks in the accent stand on."""
        return (self.ground.paper, self.ground.paper_shade, self.ground.paper_edge, self.wash)

    @property
    def declarations(self) -> str:
        """The named values of static/css/tokens.css that change with it."""
        return f"--petrol:{self.accent};--petrol-deep:{self.deep};--petrol-wash:{self.wash};--on-petrol:{self.text}"

    @property
    def roles(self) -> str:
        """The roles of static/css/tokens.css as this scheme fills them, whatever the reader's device is set to."""
        ground = self.ground
        return (
            f"--text:{ground.ink};--text-quiet:{ground.ink_soft};--surface:{ground.paper};--rule:{ground.paper_edge};"
            f"--field-edge:{ground.ink_soft};--link:{self.accent};--link-hover:{self.deep};--action:{self.accent};"
            f"--action-hover:{self.deep};--action-text:{self.text};--current-surface:{self.wash};--focus:{self.accent};"
            f"--logo-ground:{ground.plate}"
        )


@dataclass(frozen=True)
class Palette:
    """An organisation's colours, by day and by night."""

    light: Scheme
    dark: Scheme

    @classmethod
    def of(cls, accent: str, text: str = "", dark_accent: str = "", dark_text: str = "") -> "Palette":
        """From colours such as #0b5567; what is empty is made from the first."""
        dark_accent = dark_accent or nearest_readable(accent, DARK) or WHITE
        return cls(
            Scheme(LIGHT, accent, text or text_on(accent)), Scheme(DARK, dark_accent, dark_text or text_on(dark_accent))
        )

    @classmethod
    def named(cls, name: str) -> "Palette | None":
        """The one of that `name`; None where it is no such name."""
        if not re.fullmatch(r"[0-9a-f]{6}(-[0-9a-f]{6}){3}", name):
            return None
        return cls.of(*(f"#{digits}" for digits in name.split("-")))

    @classmethod
    def own(cls) -> "Palette":
        """The portal's."""
        return cls.of("#0b5567", "#ffffff", "#86cddd", "#07242b")

    @property
    def name(self) -> str:
        """All it is made of, and so the name of its style sheet: 0b5567-ffffff-86cddd-07242b."""
        chosen = (self.light.accent, self.light.text, self.dark.accent, self.dark.text)
        return "-".join(colour.removeprefix("#") for colour in chosen)

    @property
    def style_sheet(self) -> str:
        """For the portal's pages; and, side by side for the console's sample, by day and by night."""
        return (
            f":root{{{self.light.declarations}}}\n"
            f"@media (prefers-color-scheme:dark){{:root{{{self.dark.declarations}}}}}\n"
            f".sample--day{{{self.light.roles}}}\n"
            f".sample--night{{{self.dark.roles}}}\n"
        )


# --- Can it be read? ------------------------------------------------------------------------------------------


def problems(palette: Palette) -> Iterator[tuple[str, str]]:
    """(field, sentence) for each of the colours in which something could not be read."""
    for prefix, scheme in (("", palette.light), ("dark_", palette.dark)):
        if found := _of_accent(scheme):
            yield f"{prefix}accent", found
        elif found := _of_text(scheme):
            yield f"{prefix}accent_text", found


def _of_accent(scheme: Scheme) -> str:
    ratio, background = min((contrast(scheme.accent, background), background) for background in scheme.backgrounds)
    if ratio >= AA:
        return ""
    words = _(
        "Links in %(colour)s on the page's %(background)s have a contrast of %(ratio)s to 1; at least 4.5 to 1 is "
        "needed for everybody to read them."
    ) % {"colour": scheme.accent, "background": background, "ratio": in_words(ratio)}
    better = nearest_readable(scheme.accent, scheme.ground)
    return f"{words} {_('%s is the nearest that will do.') % better}" if better else words


def _of_text(scheme: Scheme) -> str:
    ratio, background = min((contrast(scheme.text, accent), accent) for accent in (scheme.accent, scheme.deep))
    if ratio >= AA:
        return ""
    return _(
        "%(colour)s on a button of %(background)s has a contrast of %(ratio)s to 1; at least 4.5 to 1 is needed for "
        "everybody to read it. %(better)s has more."
    ) % {
        "colour": scheme.text,
        "background": background,
        "ratio": in_words(ratio),
        "better": text_on(scheme.accent),
    }


def in_words(ratio: float) -> str:
    """Cut, not rounded: 4.49 is not 4.5."""
    return f"{int(ratio * 100) / 100:.2f}".rstrip("0").rstrip(".")


def nearest_readable(accent: str, ground: Ground) -> str:
    """The accent, or the first on the way to black (by night: to white) in which links can be read."""
    for step in range(int(1 / _STEP) + 1):
        candidate = Scheme(ground, mixed(accent, ground.away, step * _STEP), ground.paper)
        if all(contrast(candidate.accent, background) >= AA for background in candidate.backgrounds):
            return candidate.accent
    return ""


def text_on(accent: str) -> str:
    return max(BLACK, WHITE, key=lambda text: contrast(text, accent))


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def mixed(colour: str, other: str, share: float) -> str:
    """The colour with that share (0 to 1) of the other in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)


def _channels(colour: str) -> list[int]:
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
