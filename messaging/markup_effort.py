"""What a body may ask of the sanitiser.

A parser of HTML takes time by the square where elements stand very deep in each other, where tags have very many
attributes, and where tags left open are opened anew in every paragraph. No letter is like that; anybody may send one.
So each body is read once before, tag by tag, in time that grows with its length only. The reader keeps a simpler tree
than the parser's, and one never less deep: an end tag that is not its innermost element's closes nothing for certain,
and whatever was open then counts as open for good.
"""

import re

from portal.html_tokens import ATTRIBUTE, ATTRIBUTES, COMMENT, SPACE, TAG, decoded

# Characters of a body that can do no harm, if it has no more tags than may stand in each other: most are that short.
SMALL = 8 * 1024
MAX_DEPTH = 500
MAX_ATTRIBUTES = 100
# Of the depth at each tag, and of the letters of tags that may have to be opened anew there.
MAX_WORK = 100_000_000
_REOPENED_WEIGHT = 4
_REOPENED_LEAST = 16  # letters; an element costs something however short its tag is
# "&" and no-break spaces of one tag, or of a body as it stands: to write them takes the sanitiser time by the square
# of those in one text.
MAX_SPECIALS = 2_000
# What stands in for them where there are more: no characters (Unicode 23.7), so nobody has a use for them. Who writes
# one gets what it stands for, which is harmless anywhere.
_STAND_INS = {"&": "\ufdd0", "\xa0": "\ufdd1"}
# Letters that may follow what can be read in two ways.
MAX_DOUBTFUL = 64 * 1024

_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_VOID = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
# They end nothing but themselves, so nothing is opened anew after them.
_INLINE = frozenset(
    "abbr bdi bdo br cite del dfn hr img ins kbd label mark o:p q samp span sub sup time var wbr".split()
)
_ROWS = frozenset("tbody thead tfoot".split())
_CELLS = frozenset("td th".split())
# Text and elements directly in them are put before the table, at a cost.
_OF_TABLES = _ROWS | {"table", "tr", "colgroup"}
_IN_TABLES = _OF_TABLES | _CELLS | {"caption", "col"}
# Start tags that end the element before them, where it was left open.
_ENDS = (
    dict.fromkeys(
        "address blockquote center div dl h1 h2 h3 h4 h5 h6 ol p pre ul".split(),
        frozenset(["p"]),
    )
    | {"li": frozenset("li p".split()), "option": frozenset(["option"])}
    | dict.fromkeys(("dd", "dt"), frozenset("dd dt p".split()))
    | dict.fromkeys(_CELLS, _CELLS)
    | dict.fromkeys(_ROWS, _CELLS | _ROWS | {"tr", "colgroup"})
    | {"tr": _CELLS | {"tr", "colgroup"}}
)
# End tags, and the elements in theirs that may be left open.
_LEAVES_OPEN = (
    dict.fromkeys("ul ol menu".split(), frozenset("li p".split()))
    | {"dl": frozenset("dd dt p".split()), "select": frozenset(["option"])}
    | dict.fromkeys("li dd dt td th div blockquote center body".split(), frozenset(["p"]))
    | {"tr": _CELLS | {"p"}, "table": _ROWS | _CELLS | {"tr", "colgroup", "p"}}
    | dict.fromkeys(_ROWS, _CELLS | {"tr", "p"})
)
_RAW = "script|style|title|textarea|xmp|iframe|noembed|noframes|noscript"
_RAW_NAMES = frozenset([*_RAW.split("|"), "plaintext"])
# Their text stays in the body.
_RAW_TEXT = frozenset("textarea xmp noembed noframes".split())

_ATTRIBUTE = re.compile(ATTRIBUTE)
_TOKEN = re.compile(
    rf"""
    # Whole, and without a tag within: then there is one way to read it.
    <(?P<raw>{_RAW})(?=[{SPACE}/>])(?P<raw_attributes>{ATTRIBUTES})>
        [^<]*+(?:<!--[^<]*?-->[^<]*+)?+</(?P=raw)[{SPACE}]*+>
    |{TAG}
    |(?P<doubtful><!\[CDATA\[)
    |{COMMENT}
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_START = re.compile("<[a-zA-Z]")
_ON_ITS_OWN = frozenset(
    "address blockquote br caption center dd div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre table td th tr ul".split()
)


def affordable(html: str) -> str | None:
    """The same body, as the sanitiser can take it (what it makes of that: `restored`); None where it asks too much."""
    if len(html) <= SMALL and html.count("<") <= MAX_DEPTH:
        return html
    written = _with_stand_ins if _has_many_specials(html) else str
    tree, pieces, end = _Tree(), [], 0
    for token in _TOKEN.finditer(html):
        text = html[end : token.start()]
        tree.read_text(text)
        pieces.append(written(text))
        if _asks_too_much(token):
            return None
        if _is_doubtful(token):
            return "".join(pieces) + html[token.start() :] if _is_small(tree, html, token.start()) else None
        tree.read(token)
        if tree.is_too_much():
            return None
        pieces.append(token[0])
        end = token.end()
    pieces.append(written(html[end:]))
    return "".join(pieces)


def _has_many_specials(html: str) -> bool:
    return html.count("&") + html.count("\xa0") > MAX_SPECIALS


def _with_stand_ins(text: str) -> str:
    text = decoded(text)
    for special, stand_in in _STAND_INS.items():
        text = text.replace(special, stand_in)
    return text.replace("<", "&lt;").replace(">", "&gt;")


def restored(clean: str) -> str:
    """What the sanitiser has made of an affordable body, without stand-ins."""
    return clean.replace(_STAND_INS["&"], "&amp;").replace(_STAND_INS["\xa0"], "&nbsp;")


def words_alone(html: str) -> str:
    """What it says, without a tag; what begins on a line of its own does so still."""
    return decoded(_TOKEN.sub(_line_or_nothing, html))


def _line_or_nothing(token: re.Match[str]) -> str:
    return "\n" if (token["name"] or "").lower() in _ON_ITS_OWN else ""


def _asks_too_much(token: re.Match[str]) -> bool:
    if (token["raw"] or "").lower() in _RAW_TEXT and _has_many_specials(token[0]):
        return True
    attributes = token["attributes"] or token["raw_attributes"] or ""
    if len(attributes) < MAX_ATTRIBUTES:
        return False
    return _number(_ATTRIBUTE, attributes) > MAX_ATTRIBUTES or _has_many_specials(attributes)


def _number(pattern: re.Pattern[str], text: str) -> int:
    return sum(1 for _found in pattern.finditer(text))


def _is_doubtful(token: re.Match[str]) -> bool:
    """Whether what follows is tags or text depends on more than this reader knows."""
    return token["doubtful"] is not None or (token["name"] or "").lower() in _RAW_NAMES


def _is_small(tree: "_Tree", html: str, start: int) -> bool:
    rest = html[start : start + MAX_DOUBTFUL + 1]
    return len(rest) <= MAX_DOUBTFUL and tree.depth() + _number(_START, rest) <= MAX_DEPTH


class _Tree:
    def __init__(self) -> None:
        self._open: list[str] = []
        self._weights: list[int] = []
        self._lost = 0
        self._to_reopen = 0
        self._foreign = 0
        self._has_lost_a_table = False
        self._work = 0

    def depth(self) -> int:
        return len(self._open) + self._lost

    def is_too_much(self) -> bool:
        return self.depth() > MAX_DEPTH or self._work > MAX_WORK

    def read(self, token: re.Match[str]) -> None:
        name = token["name"]
        if name is None:
            return
        # Other letters' lower case may be one of ASCII.
        name = name.lower() if name.isascii() else name
        self._work += self.depth()
        # Its attributes go to those of the first, at a cost that grows with their number.
        self._lost += name == "html"
        if token["slash"]:
            self._end(name)
        else:
            self._start(name, len(token[0]))

    def read_text(self, text: str) -> None:
        if self._is_before_a_table() and text and not text.isspace():
            self._lost += 1

    def _is_before_a_table(self) -> bool:
        return self._open[-1] in _OF_TABLES if self._open else self._has_lost_a_table

    def _start(self, name: str, length: int) -> None:
        if not self._foreign:
            self._end_before(name)
        if name not in _FORMATTING and name not in _INLINE:
            self._reopen()
        if name not in _VOID or self._foreign:
            self._push(name, length)

    def _end_before(self, name: str) -> None:
        if ends := _ENDS.get(name):
            while self._open and self._open[-1] in ends:
                self._pop()
        if name not in _IN_TABLES:
            self._lost += self._is_before_a_table()
        elif self._open and self._open[-1] not in _OF_TABLES and name != "table":
            self._lose_what_is_in_the_table()

    def _lose_what_is_in_the_table(self) -> None:
        """A row's start ends whatever is open in the table."""
        if self._has_lost_a_table or "table" in self._open:
            self._lose()

    def _push(self, name: str, length: int) -> None:
        weight = length + _REOPENED_LEAST if name in _FORMATTING else 0
        self._open.append(name)
        self._weights.append(weight)
        self._to_reopen += weight
        self._foreign += name in ("svg", "math")

    def _pop(self) -> None:
        self._foreign -= self._open.pop() in ("svg", "math")
        self._to_reopen -= self._weights.pop()

    def _end(self, name: str) -> None:
        left_open = _LEAVES_OPEN.get(name, frozenset())
        top = len(self._open)
        while top and self._open[top - 1] != name and self._open[top - 1] in left_open:
            top -= 1
        if top and self._open[top - 1] == name:
            while len(self._open) >= top:
                self._pop()
        else:
            self._misnested(name)

    def _misnested(self, name: str) -> None:
        self._reopen()
        if name in self._open:
            self._lose()

    def _lose(self) -> None:
        self._lost += len(self._open)
        self._has_lost_a_table = self._has_lost_a_table or "table" in self._open
        self._open.clear()
        self._weights.clear()

    def _reopen(self) -> None:
        self._work += _REOPENED_WEIGHT * self._to_reopen
