"""Passwords that guessers try first: two lists, both in the package, and what differs from them by little.

README.md says where the lists come from. Nothing is asked over the network.
"""

import gzip
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.contrib.auth.password_validation import CommonPasswordValidator

# What must be left of a password once a common one, runs such as 12345, or words about its owner are taken out.
OWN_CHARACTERS = 8
LEET = str.maketrans("0134578@$!", "oieastbasi")
_KEYBOARD_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop")
_SEPARATORS = re.compile(r"[\W_]+")


def is_common(password: str) -> bool:
    """Known to guessers, or little more than runs and repetitions."""
    text = password.casefold()
    unit = _repeated_unit(text)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", unit)
    if _is_listed(text) or _is_listed(unit):
        return True
    if _is_listed(core) and _own_characters(unit.replace(core, "", 1)) < OWN_CHARACTERS:
        return True
    # Every other character, for two runs woven into one: 1q2w3e4r.
    return min(_own_characters(unit), _own_characters(unit[::2]) + _own_characters(unit[1::2])) < OWN_CHARACTERS


@lru_cache(maxsize=1)
def listed() -> frozenset[str]:
    """Django's list, in which most are short, and our own of long ones."""
    own = gzip.decompress(Path(__file__).with_name("passwords.txt.gz").read_bytes()).decode()
    return frozenset(CommonPasswordValidator().passwords) | frozenset(own.split("\n"))


def _is_listed(text: str) -> bool:
    """As it stands, with digits read as letters, or with what stands between the words taken out."""
    plain = _SEPARATORS.sub("", text)
    return not listed().isdisjoint({text, text.translate(LEET), plain, plain.translate(LEET)})


def _repeated_unit(text: str) -> str:
    """The shortest beginning that, written again and again, gives the text."""
    for length in range(1, len(text) // 2 + 1):
        if text[length:] == text[:-length]:
            return text[:length]
    return text


def _own_characters(text: str) -> int:
    """How many characters do not follow from the two before them by repeating, counting on, or the next key."""
    own = min(len(text), 2)
    for before, first, second in zip(text, text[1:], text[2:], strict=False):
        if not (set(_steps(before, first)) & set(_steps(first, second))):
            own += 1
    return own


def _steps(first: str, second: str) -> Iterator[tuple[str, int]]:
    if abs(ord(second) - ord(first)) <= 1:
        yield "counting", ord(second) - ord(first)
    for row in _KEYBOARD_ROWS:
        if first in row and second in row and abs(row.index(second) - row.index(first)) == 1:
            yield row, row.index(second) - row.index(first)
