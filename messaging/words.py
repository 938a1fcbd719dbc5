"""Words: how text is compared with what somebody looks for, marked, and cut to the part that shows it."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

MOST_WORDS = 10
LONGEST_WORD = 100  # characters
SNIPPET = 220  # characters
_BEFORE = 60
_PIECE = 2_000
# Soft hyphens, joiners and the like, which Word and web pages leave inside words.
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"


class Part(NamedTuple):
    """A piece of text, and whether it is what was looked for."""

    text: str
    found: bool


def folded(text: str) -> str:
    """The text in the form in which it is compared: upper and lower case, and the ways of writing one character
    (Unicode's compatibility forms), are the same."""
    if text.isascii():
        return text.lower()
    for character in _INVISIBLE:  # many times as quick as `translate`, for there are few or none
        text = text.replace(character, "")
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def looked_for(text: str) -> list[str]:
    """The words somebody typed, folded, each once."""
    return [word[:LONGEST_WORD] for word in dict.fromkeys(folded(text).split())][:MOST_WORDS]


def missing_in(text: str, words: Sequence[str]) -> list[str]:
    """Those of the words that do not occur in the text."""
    text = folded(text)
    return [word for word in words if word not in text]


def marked(text: str, words: Sequence[str]) -> list[Part]:
    """The text in parts, so that a page can mark the words in it."""
    text = unicodedata.normalize("NFC", text)
    parts, shown = [], 0
    for start, end in _spans(text, words):
        if end <= shown:
            continue
        start = max(start, shown)
        parts += [Part(text[shown:start], False), Part(text[start:end], True)]
        shown = end
    return [part for part in (*parts, Part(text[shown:], False)) if part.text]


def snippet(text: str, words: Sequence[str]) -> list[Part]:
    """A line of the text around the first of the words in it, or else its beginning."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    begin = max(0, _first(text, words) - _BEFORE)
    if begin:
        begin = text.find(" ", begin) + 1 or begin
    end = begin + SNIPPET
    if end < len(text):
        end = max(text.rfind(" ", begin, end), begin + SNIPPET // 2)
    before, after = "… " if begin else "", " …" if end < len(text) else ""
    return marked(f"{before}{text[begin:end]}{after}", words)


def _spans(text: str, words: Sequence[str]) -> list[tuple[int, int]]:
    """Where the words stand, in order."""
    compared, places = _with_places(text)
    spans = []
    for word in words:
        at = compared.find(word)
        while at >= 0:
            spans.append((places[at], places[at + len(word) - 1] + 1))
            at = compared.find(word, at + len(word))
    return sorted(spans)


def _first(text: str, words: Sequence[str]) -> int:
    """Where the first of the words stands; 0 where none does. Piece by piece: a text may be millions long."""
    for start in range(0, len(text), _PIECE):
        if spans := _spans(text[start : start + _PIECE + LONGEST_WORD], words):
            return start + spans[0][0]
    return 0


def _with_places(text: str) -> tuple[str, Sequence[int]]:
    """The text folded, and for each of its characters the place it comes from."""
    if text.isascii():
        return text.lower(), range(len(text))
    pieces = [folded(character) for character in text]
    return "".join(pieces), [place for place, piece in enumerate(pieces) for _ in piece]
