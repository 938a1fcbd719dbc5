"""Bodies that would keep the sanitiser busy for minutes give their words alone; letters stay as they are."""

import re
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import bodies, markup_effort
from portal.plain_text import plain_text

COUNTLESS = 100_000


@pytest.mark.parametrize(
    "hostile",
    [
        "<ul><li>" * COUNTLESS,
        "<div>" * COUNTLESS,
        "<b></p>" * COUNTLESS,
        "<b></div>" * COUNTLESS,
        "<p><b><i><u>" * COUNTLESS,
        "<a><b>" * COUNTLESS,
        "<b><div></b>" * COUNTLESS,
        "<span><div></span></div>" * COUNTLESS,
        "<q><li></q><q><dd></q>" * COUNTLESS,
        "<td><li></td><td><dd></td>" * COUNTLESS,
        "<optgroup>" * COUNTLESS,
        "<svg><tr>" * COUNTLESS,
        "<svg>" + "<tr>" * COUNTLESS,
        "<svg>" + "<wbr>" * COUNTLESS,
        "<lin\u212a>" * COUNTLESS,
        "<!-- --!><div><!-- </div> -->" * COUNTLESS,
        "<div><!x </div><p>" * COUNTLESS,
        '<p ="x>"><div>' * COUNTLESS,
        "<div><script><!-- </div> --></script x>" * COUNTLESS,
        "<style><!--</style>" + "<div>" * COUNTLESS + "-->",
        "<svg><![CDATA[></svg>" + "<div>" * COUNTLESS,
        "<textarea><p title='</textarea>" + "<div>" * COUNTLESS,
        "<plaintext>" + "<div>" * COUNTLESS,
        "<table>" + "a<b></b>" * COUNTLESS,
        "<q><table></q>" + "a<br>" * COUNTLESS,
        "<table><div><td></td>" + "a<br>" * COUNTLESS,
        "<p " + " ".join(f"a{number}" for number in range(COUNTLESS)) + ">",
        "<style " + " ".join(f"a{number}" for number in range(COUNTLESS)) + "></style>",
        '<p title="' + "&am;" * COUNTLESS + '">',
        "".join(f"<b id={number}>" for number in range(COUNTLESS)),
        "<p>" + "".join(f"<font color={number}>" for number in range(100)) + "</p>" + "<p>x" * COUNTLESS,
        f"<p><font face='{'x' * 10_000}'></p>" + "<p>x" * COUNTLESS,
        "<div>" * 490 + "<b></b>" * 1_000_000,
        "".join(f"<html x{number}></html>" for number in range(COUNTLESS)),
    ],
    ids=lambda hostile: hostile[:40],
)
def test_what_no_letter_is_like_asks_too_much(hostile):
    assert markup_effort.affordable(hostile) is None
    assert not re.search("<(?!p>|/p>|br>)", bodies.sanitize(f"{hostile}</b>the end"))


def test_the_words_are_left():
    html = bodies.sanitize(
        "<h1>One &lt;</h1><style>no</style><p title='no'>t<b>w</b>o<br>three<!-- no -->" + "<i>" * 600
    )
    assert html == "<p>One &lt;</p><p>two<br>three</p>"
    assert bodies.sanitize(html) == html


@pytest.mark.parametrize(
    "letter",
    [
        "<p>One<p>two" * 1_000,
        "<ul><li>one<li>two</ul>" * 1_000,
        "<dl><dt>a<dd>b<dd>c</dl>" * 1_000,
        "<table><tr><td>1<td>2<tr><td>3</table>" * 1_000,
        "<table>\n<tbody>\n<tr>\n<td><p>1</p></td>\n</tr>\n</tbody>\n</table>" * 1_000,
        "<p>a<br>b<img src=x><hr>" * 1_000,
        "<font face=Arial size=2><p>x</p></font>" * 1_000,
        "<b>" + "<p style='margin:0'><span>x</span></p>" * 10_000 + "</b>",
        "<blockquote>" * 200 + "x" + "</blockquote>" * 200,
        "<b><i>x</b></i>" * 100,
        "<!--[if gte mso 9]><xml>" + "<w:LsdException/>" * 400 + "</xml><![endif]--><p>x<o:p></o:p></p>" * 100,
        "<style><!-- p { margin: 0 } --></style><p><![if !supportLists]>·<![endif]>x</p>" * 1_000,
        "<svg><path></path></svg><p>x</p>" * 1_000,
        "<script>if (a < b) c()</script><noscript><p>x</p></noscript>",
        "a &amp; b&nbsp;" * 500,
    ],
    ids=lambda letter: letter[:40],
)
def test_letters_stay_as_they_are(letter):
    assert markup_effort.affordable(letter) == letter


SPECIALS = ["&", "& ", "&amp;", "&nbsp;", "&lt;", "\xa0", "&x", "&copy;", "&#38;", "&#xa0;", "&notit;", "&amp;amp;"]


@pytest.mark.parametrize("special", SPECIALS)
@pytest.mark.parametrize(
    "place", ["{}", "{}</>", "{}<td></td>", "<table>{}", "<p title=x>{}</p><!-- no -->", "{}<frame>"]
)
def test_the_sanitiser_gets_no_more_ampersands_and_no_break_spaces_than_it_bears(special, place):
    for hostile in (place.format(special * 10_000), place.format(special * 1_000) * 50):
        given = markup_effort.affordable(hostile)
        assert given is None or len(re.findall("&(?!lt;|gt;)|\xa0", given)) == 0


@pytest.mark.parametrize("special", SPECIALS)
def test_however_many_they_are_they_are_written_as_few_are(special):
    unit = f"<b>{special}</b>{special} a < b > c"
    assert len(unit) * 3_000 > markup_effort.SMALL
    assert bodies.sanitize(unit * 3_000) == bodies.sanitize(unit) * 3_000
    assert bodies.shown(bodies.sanitize(unit * 3_000)) == bodies.sanitize(unit) * 3_000


@pytest.mark.parametrize("raw", ["textarea", "xmp", "NOEMBED", "noframes"])
def test_nor_in_elements_whose_text_is_read_otherwise(raw):
    assert markup_effort.affordable(f"<{raw}>{'&' * 5_000}</{raw}>" + "<p>x</p>" * 500) is None
    assert "a" in bodies.sanitize(f"<{raw}>a</{raw}>" + "<p>x</p>" * 2_000)


def test_characters_that_are_none_become_no_markup():
    written = "<a href='https://x.example/\ufdd0' title='&#xfdd0;\ufdd1'>\ufdd0&#xfdd0;lt;</a>"
    for body in (written, written + "<p>x</p>" * 2_000):
        html = bodies.sanitize(body)
        assert 'href="https://x.example/&amp;"' in html
        assert ">&amp;&amp;lt;</a>" in html
        assert bodies.sanitize(html) == html


def test_a_number_of_no_character_is_read():
    for words in (f"&#{'1' * 5_000};", f"&#x{'1' * 5_000};"):
        assert "the end" in bodies.sanitize("<div>" * 1_000 + f"{words}the end")
        assert "the end" in bodies.sanitize(f"{words}the end" + "&" * 20_000)
        assert plain_text(f"<p>{words}the end</p>").endswith("the end")


_NAMES = "p div li ul dd dl table tr td caption select option button svg math title template style b i a q span br h1"
_PIECES = [f"<{name}>" for name in _NAMES.split()] + [f"</{name}>" for name in _NAMES.split()]
_UNITS = st.lists(st.sampled_from([*_PIECES, "x", "<!--", "-->", "<![CDATA[", "<p a='"]), max_size=6).map("".join)


@given(_UNITS, _UNITS, st.sampled_from([0, 1, 100]))
def test_nothing_deep_gets_through(unit, before, times):
    html = bodies.sanitize(before * times + unit * 1_500)
    edges = [-1 if edge.startswith("</") else 1 for edge in re.findall(r"</?(?!br|hr|img|wbr|col\b)\w+", html)]
    # A table's rows and bodies that were left out stand in what the parser makes of it.
    assert max(accumulate(edges), default=0) <= 3 * markup_effort.MAX_DEPTH
