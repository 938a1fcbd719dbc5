"""HTML as the words in it."""

from html.parser import HTMLParser

_LINES = frozenset("div li tr".split())
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote pre ul ol table".split())
_UNSEEN = frozenset("script style title template head".split())


def plain_text(html: str) -> str:
    """The words, with blocks and breaks on lines of their own. Not for putting into HTML unescaped."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in reader.text().split("\n"))
    return _without_runs_of_empty(list(lines))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        # Of all pieces, spaces apart.
        self._last_character = ""
        self._unseen = 0

    def text(self) -> str:
        return "".join(self._pieces)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "br":
            self._add("\n")
        else:
            self._begin_block(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        else:
            self._begin_block(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            # In HTML a line's end in the source is a space.
            self._add(data.replace("\n", " "))

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
