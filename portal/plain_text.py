"""HTML as the words in it."""

import re

from .html_tokens import ATTRIBUTES, COMMENT, SPACE, TAG, decoded

_LINES = frozenset("address caption center dd div dt hr li tr".split())
_CELLS = frozenset("td th".split())
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote pre ul ol table".split())
_UNSEEN = frozenset("title template head".split())
_TOKEN = re.compile(
    rf"<(?P<raw>script|style)(?=[{SPACE}/>]){ATTRIBUTES}>(?s:.)*?(?:</(?P=raw)[{SPACE}]*+>|\Z)|{TAG}|{COMMENT}",
    re.ASCII | re.IGNORECASE,
)


def plain_text(html: str) -> str:
    """The words, with blocks and breaks on lines of their own. Not for putting into HTML unescaped."""
    reader = _Words()
    end = 0
    for token in _TOKEN.finditer(html):
        reader.read_text(html[end : token.start()])
        if name := token["name"]:
            reader.read_tag(name.lower(), is_end=token["slash"] != "")
        end = token.end()
    reader.read_text(html[end:])
    lines = (" ".join(line.split()) for line in reader.text().split("\n"))
    return _without_runs_of_empty(list(lines))


class _Words:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        # Of all pieces, spaces apart.
        self._last_character = ""
        self._unseen = 0
        self._preformatted = 0

    def text(self) -> str:
        return "".join(self._pieces)

    def read_tag(self, name: str, *, is_end: bool) -> None:
        step = -1 if is_end else 1
        if name in _UNSEEN:
            self._unseen = max(0, self._unseen + step)
        elif name == "br":
            self._add("" if is_end else "\n")
        elif name in _CELLS:
            self._add(" ")
        else:
            self._begin_block(name)
        if name == "pre":
            self._preformatted = max(0, self._preformatted + step)

    def read_text(self, text: str) -> None:
        if not self._unseen:
            words = decoded(text)
            # Elsewhere a line's end in the source is a space.
            self._add(words if self._preformatted else words.replace("\n", " "))

    def _begin_block(self, tag: str) -> None:
        """What comes after a block's edge starts on a line of its own; a paragraph has an empty line around it."""
        if tag in _PARAGRAPHS:
            self._add("\n\n")
        elif tag in _LINES and self._last_character not in ("", "\n"):
            self._add("\n")

    def _add(self, piece: str) -> None:
        self._pieces.append(piece)
        self._last_character = piece.rstrip(" ")[-1:] or self._last_character


def _without_runs_of_empty(lines: list[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")
