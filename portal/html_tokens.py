"""HTML's tokens as patterns, as its standard has them read. Each goes to the text's end where nothing ends it before,
so nothing is read twice, however hostile: Python's own parser takes time by the square, and raises at some of it."""

import re
from html import unescape

SPACE = r"\x20\t\n\f\r"
_VALUE = rf"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^{SPACE}>"'][^{SPACE}>]*+|(?=>|\Z))"""
ATTRIBUTE = rf"[^{SPACE}/>][^{SPACE}/>=]*+(?:[{SPACE}]*+=[{SPACE}]*+{_VALUE})?+"
ATTRIBUTES = rf"(?:[{SPACE}/]++|{ATTRIBUTE})*+"
TAG = rf"<(?P<slash>/?+)(?P<name>[a-zA-Z][^{SPACE}/>]*+)(?P<attributes>{ATTRIBUTES})(?:>|\Z)"
COMMENT = r"<!--(?:-?>|(?s:.)*?(?:--!?>|\Z))|<(?:[!?]|/(?!\Z))[^>]*+>?+"

# More digits than any character's number has: Python's own function raises at thousands.
_OVERLONG = re.compile("&#[0-9]{9,}+;?+")


def decoded(text: str) -> str:
    """A text between tags, with its character references read."""
    return unescape(_OVERLONG.sub("\ufffd", text)) if "&" in text else text
