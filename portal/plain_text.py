"""HTML as the words in it."""

from html.parser import HTMLParser

_BLOCKS = frozenset("p div li tr h1 h2 h3 h4 h5 h6 blockquote pre ul ol table".split())
_UNSEEN = frozenset("script style title template head".split())


def plain_text(html: str) -> str:
    """The words, a line for each block and break. Not for putting into HTML unescaped."""
    reader = _Words()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return _without_runs_of_empty(list(lines))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in _BLOCKS or tag == "br":
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            # In HTML a line's end in the source is a space.
            self.parts.append(data.replace("\n", " "))


def _without_runs_of_empty(lines: list[str]) -> str:
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip("\n")
