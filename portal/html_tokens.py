"""HTML's tokens as patterns, as its standard has them read. Each goes to the text's end where nothing ends it before,
so nothing is read twice, however hostile: Python's own parser takes time by the square, and raises at some of it."""

SPACE = r"\x20\t\n\f\r"
_VALUE = rf"""(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^{SPACE}>"'][^{SPACE}>]*+|(?=>|\Z))"""
ATTRIBUTE = rf"[^{SPACE}/>][^{SPACE}/>=]*+(?:[{SPACE}]*+=[{SPACE}]*+{_VALUE})?+"
ATTRIBUTES = rf"(?:[{SPACE}/]++|{ATTRIBUTE})*+"
TAG = rf"<(?P<slash>/?+)(?P<name>[a-zA-Z][^{SPACE}/>]*+)(?P<attributes>{ATTRIBUTES})(?:>|\Z)"
COMMENT = r"<!--(?:-?>|(?s:.)*?(?:--!?>|\Z))|<(?:[!?]|/(?!\Z))[^>]*+>?+"
