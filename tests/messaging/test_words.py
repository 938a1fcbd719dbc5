"""How words are compared, marked and cut."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging import bodies, words
from messaging.words import LONGEST_WORD, MOST_WORDS


@pytest.mark.parametrize(
    "typed, text",
    [
        ("RESULT", "Your results"),
        ("straße", "HAUPTSTRASSE 5"),
        ("strasse", "Hauptstraße 5"),
        ("müller", unicodedata.normalize("NFD", "Frau Müller")),
        ("ﬁnal", "the final report"),
        ("10²", "102 pages"),
        ("ＡＢＣ", "abc"),
        ("Ἀθῆναι", "ἈΘΗ͂ΝΑΙ"),
        ("befund", "Be\u00adfund"),
        ("zu viel", "viel zu"),
    ],
)
def test_case_and_ways_of_writing_do_not_matter(typed, text):
    assert words.missing_in(text, words.looked_for(typed)) == []


def test_all_words_must_occur():
    assert words.missing_in("one three", words.looked_for("one two three")) == ["two"]


def test_what_is_looked_for_is_bounded():
    sought = words.looked_for(" ".join(f"{n}" * 1_000 for n in range(100)))
    assert len(sought) == MOST_WORDS
    assert {len(word) for word in sought} == {LONGEST_WORD}
    assert words.looked_for("same SAME same") == ["same"]


@pytest.mark.parametrize(
    "text, typed, marks",
    [
        ("The result of the RESULT", "result", ["result", "RESULT"]),
        ("aaaa", "aa", ["aa", "aa"]),
        ("overlapping", "overlap lapping", ["overlap", "ping"]),
        ("Hauptstraße", "strasse", ["straße"]),
        ("nothing here", "absent", []),
        ("", "x", []),
        ("Be\u00adfund da", "befund", ["Be\u00adfund"]),
    ],
)
def test_marks(text, typed, marks):
    parts = words.marked(text, words.looked_for(typed))
    assert [part.text for part in parts if part.found] == marks
    assert "".join(part.text for part in parts) == text


def test_a_snippet_shows_the_line_around_the_first_word():
    text = "begin " + "filling " * 5_000 + "the needle is here " + "filling " * 50
    parts = words.snippet(text, ["needle"])
    line = "".join(part.text for part in parts)
    assert [part.text for part in parts if part.found] == ["needle"]
    assert line.startswith("… filling") and line.endswith("filling …")
    assert len(line) <= words.SNIPPET + 4


def test_a_snippet_without_a_word_is_the_beginning():
    assert "".join(part.text for part in words.snippet("just a\n\n short   text", ["absent"])) == "just a short text"


@pytest.mark.parametrize(
    "html, text",
    [
        ('<p title="a > b" style="color: red">one<b>and</b>only</p>', "oneandonly"),
        ("<p>one</p><p>two<br>three</p>", "one two three"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<p>1 &lt; 2 &amp;amp; &nbsp;3</p>", "1 < 2 &amp; 3"),
        ('<a href="https://x.example/?a=1&b=2" title=\'say "x>y"\'>link</a>', "link"),
        ("<script>evil()</script><style>p{}</style>text", "text"),
        ("1 < 2 > 3", "1 < 2 > 3"),
        ("<pre>a</pre><prefix>b</prefix>", "a b"),
    ],
)
def test_the_words_of_a_body(html, text):
    assert " ".join(bodies.words(bodies.sanitize(html)).split()) == text


_PIECES = [
    *("a", "B", "aab", "<", ">", "&", "&amp;", "&lt;b&gt;", "&nbsp;", "&copy", ";", '"', ".", "*", "\\", " ", "\n"),
    *("<p>", "</p>", "<br>", "<b>", "</b>", "<!-- a -->", "<script>a</script>", "<pre>", "</pre>"),
    *("<p style='color: red' title='a > b \"ab\"'>", '<a href="https://x.example/?a=1&b=2">', "</a>", "<td>"),
]


@given(st.lists(st.sampled_from(_PIECES)).map("".join), st.data())
def test_a_glance_misses_no_word_that_a_body_holds(html, data):
    html = bodies.sanitize(html)
    text = words.folded(bodies.words(html))
    start = data.draw(st.integers(0, len(text)))
    typed = data.draw(st.one_of(st.just(text[start : start + 20]), st.text("aB&<.", max_size=3)))
    for word in words.looked_for(typed):
        if html.isascii() and word in text:
            assert bodies.glance(word).search(html.lower())


def test_a_glance_tells_most_others():
    html = bodies.sanitize("<p>The report on the <b>spring</b> is <i>on its way</i>.</p>").lower()
    assert not bodies.glance("quicksilver").search(html)
    assert not bodies.glance("springtime").search(html)
    assert not bodies.glance("&").search(html)


@pytest.mark.parametrize("body", ["a" * 100_000, ("a" * 20 + "<b></b>") * 4_000, "<b></b>" * 15_000, "a<" * 50_000])
def test_a_glance_takes_no_longer_at_hostile_bodies(body):
    html = bodies.sanitize(body)
    pattern = bodies.glance("a" * 99 + "b")
    began = time.process_time()
    pattern.search(html)
    pattern.search(html.replace("a", "aaaaaaaaaaa>"))
    assert time.process_time() - began < 0.25


@pytest.mark.parametrize(
    "body", ["<" * 100_000, '<a title="' + "x<" * 50_000, "<p>" * 33_000, '"' * 100_000, "&" * 100_000]
)
def test_hostile_bodies_take_no_longer(body):
    began = time.process_time()
    bodies.words(body)
    assert time.process_time() - began < 0.05
