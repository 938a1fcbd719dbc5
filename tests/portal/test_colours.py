"""Colours: contrast as WCAG defines it, and that whatever is taken can be read on every ground of the pages."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import colours
from portal.colours import DARK, LIGHT, Palette

TOKENS = Path(__file__).parents[2] / "static/css/tokens.css"
any_colour = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    # The last three as WebAIM's checker gives them.
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", 4.47), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast(one, other, ratio):
    assert colours.contrast(one, other) == colours.contrast(other, one) == pytest.approx(ratio, abs=0.01)


def test_the_grounds_and_the_portals_own_accent_are_those_of_the_style_sheet():
    day, night = TOKENS.read_text().split("prefers-color-scheme: dark")
    names = {"paper": "paper", "paper_shade": "paper-shade", "paper_edge": "paper-edge", "ink": "ink"}
    names["ink_soft"] = "ink-soft"
    for css, ground, scheme in ((day, LIGHT, Palette.own().light), (night, DARK, Palette.own().dark)):
        said = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", css))
        assert {name: said[token] for name, token in names.items()} == {name: getattr(ground, name) for name in names}
        assert (said["petrol"], said["on-petrol"]) == (scheme.accent, scheme.text)


def test_the_portals_own_colours_can_be_read():
    assert list(colours.problems(Palette.own())) == []


@given(any_colour)
def test_what_is_made_of_an_accent_can_be_read_wherever_the_accent_can(accent):
    palette = Palette.of(accent)
    found = dict(colours.problems(palette))
    assert "dark_accent" not in found
    if "accent" in found:
        return
    assert not found or set(found) <= {"accent_text", "dark_accent_text"}
    for scheme in (palette.light, palette.dark):
        assert all(colours.contrast(scheme.deep, background) >= 4.5 for background in scheme.backgrounds)
        assert colours.contrast(scheme.ground.ink, scheme.wash) >= 4.5


def test_a_refusal_says_the_ratio_and_what_would_do():
    [(field, sentence)] = colours.problems(Palette.of("#ffcc00"))
    assert field == "accent"
    assert re.search(r"#ffcc00 on the page's #e6ecec have a contrast of 1\.2\d? to 1; at least 4\.5 to 1", sentence)
    better = re.search(r"(#[0-9a-f]{6}) is the nearest that will do", sentence)[1]
    assert list(colours.problems(Palette.of(better))) == []


def test_text_on_a_button_is_judged_too():
    [(field, sentence)] = colours.problems(Palette.of("#0b5567", "#0b5567"))
    assert field == "accent_text"
    assert "a contrast of 1 to 1" in sentence
    assert "#ffffff has more" in sentence


@pytest.mark.parametrize(("ratio", "words"), [(4.4999, "4.49"), (4.5, "4.5"), (21.0, "21"), (3.128, "3.12")])
def test_a_ratio_is_cut_and_not_rounded(ratio, words):
    assert colours.in_words(ratio) == words


@given(st.tuples(any_colour, any_colour, any_colour, any_colour))
def test_a_palette_is_found_again_by_its_name(four):
    palette = Palette.of(*four)
    assert Palette.named(palette.name) == palette


@pytest.mark.parametrize("name", ["", "0b5567", "0b5567-ffffff-86cddd-07242B", "0b5567-ffffff-86cddd-07242b}", "a;b"])
def test_no_other_name_is_one(name):
    assert Palette.named(name) is None
