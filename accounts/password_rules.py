"""What a password must be, in one home: the page's ticks, the console and the shell all ask here.

15 characters or more and no rules about kinds of characters: length is what a guesser cannot get round. Unicode and
spaces are kept; the text is brought into one form (NFC), so that the same keys give the same password on every device.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .models import User

MIN_LENGTH = 15
MAX_LENGTH = 1024
# What must be left of a password once a common one, runs such as 12345, or words about its owner are taken out.
_OWN_CHARACTERS = 8
_SHORTEST_PERSONAL_WORD = 4
_KEYBOARD_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop")
_LEET = str.maketrans("0134578@$!", "oieastbasi")


@dataclass(frozen=True)
class Criterion:
    """One line under the fields. met: None while nothing has been typed."""

    code: str
    text: str
    met: bool | None


def normalize(password: str) -> str:
    """The form that is measured and hashed."""
    return unicodedata.normalize("NFC", password)


def criteria(user: User, password: str = "", confirmation: str = "") -> list[Criterion]:
    """Every criterion for this person's new password, in the order of the page."""
    password, confirmation = normalize(password), normalize(confirmation)
    asked = bool(password or confirmation)
    lines = [
        ("length", _("at least %(count)d characters long") % {"count": MIN_LENGTH}, _is_long_enough(password)),
        (
            "not_common",
            _("hard to guess: no run such as 123456789, no word over and over"),
            not is_common(password),
        ),
        (
            "not_personal",
            _("more than your name, your email address or the organisation’s name"),
            not is_personal(password, user),
        ),
        ("equal", _("the same in both fields"), password == confirmation),
    ]
    return [Criterion(code, text, met if asked else None) for code, text, met in lines]


def validate(password: str, user: User) -> None:
    """ValidationError with a sentence for each rule that the password does not keep."""
    unmet = [line.text for line in criteria(user, password, password) if line.met is not True]
    if unmet:
        raise ValidationError([_("The password must be %(rule)s.") % {"rule": rule} for rule in unmet])


def _is_long_enough(password: str) -> bool:
    return MIN_LENGTH <= len(password) <= MAX_LENGTH


# --- Easily guessed -------------------------------------------------------------------------------------------


def is_common(password: str) -> bool:
    """Known to guessers, or little more than runs and repetitions."""
    text = password.casefold()
    unit = _repeated_unit(text)
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", unit)
    if _is_listed(text) or _is_listed(unit):
        return True
    if _is_listed(core) and _own_characters(unit.replace(core, "", 1)) < _OWN_CHARACTERS:
        return True
    # Every other character, for two runs woven into one: 1q2w3e4r.
    return min(_own_characters(unit), _own_characters(unit[::2]) + _own_characters(unit[1::2])) < _OWN_CHARACTERS


@lru_cache(maxsize=1)
def _common_passwords() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords)


def _is_listed(text: str) -> bool:
    return text in _common_passwords() or text.translate(_LEET) in _common_passwords()


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


# --- Made of what everybody knows about its owner ----------------------------------------------------------------


def is_personal(password: str, user: User) -> bool:
    text = rest = password.casefold().translate(_LEET)
    for word in personal_words(user):
        rest = rest.replace(word.translate(_LEET), "")
    return rest != text and sum(character.isalnum() for character in rest) < _OWN_CHARACTERS


def personal_words(user: User) -> list[str]:
    """Words about the person, their address and their organisation, longest first."""
    known = [user.name, *user.address.rpartition(".")[0].split("@"), user.organization.name, user.organization.slug]
    words = {word for text in known for word in re.split(r"[\W_]+", text.casefold())}
    return sorted((word for word in words if len(word) >= _SHORTEST_PERSONAL_WORD), key=lambda word: (-len(word), word))
