"""What a password must be, in one home: the page's ticks, the console and the shell all ask here.

15 characters or more and no rules about kinds of characters: length is what a guesser cannot get round. Unicode and
spaces are kept; the text is brought into one form (NFC), so that the same keys give the same password on every device.
"""

import re
import unicodedata
from dataclasses import dataclass

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .common_passwords import LEET, OWN_CHARACTERS, is_common
from .models import OldPassword, User

MIN_LENGTH = 15
MAX_LENGTH = 1024
_SHORTEST_PERSONAL_WORD = 4


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
    """Every criterion for this person's new password, in the order of the page. Where old passwords may not be used
    again, one hash for each of them, once everything else is met."""
    password, confirmation = normalize(password), normalize(confirmation)
    lines = _lines(user, password)
    if user.organization.password_history:
        fine = all(met for _code, _text, met in lines) and password == confirmation
        lines.append(("not_reused", _not_reused(user), not was_used_before(user, password) if fine else None))
    lines.append(("equal", _("the same in both fields"), password == confirmation))
    asked = bool(password or confirmation)
    return [Criterion(code, text, met if asked else None) for code, text, met in lines]


def _lines(user: User, password: str) -> list[tuple[str, str, bool | None]]:
    """(code, text, met) of what the password alone tells."""
    shortest = min_length(user)
    lines: list[tuple[str, str, bool | None]] = [
        ("length", _("at least %(count)d characters long") % {"count": shortest}, _fits(password, shortest)),
        ("not_common", _("hard to guess: no run such as 123456789, no word over and over"), not is_common(password)),
        (
            "not_personal",
            _("more than your name, your email address or the organisation’s name"),
            not is_personal(password, user),
        ),
    ]
    if user.organization.password_classes:
        text = _("made of capitals, small letters, digits and signs")
        lines.append(("classes", text, _has_all_classes(password)))
    return lines


def text_is_fine(user: User, password: str) -> bool:
    """Whether it meets every criterion that can be judged by its text."""
    return all(met for _code, _text, met in _lines(user, normalize(password)))


def validate(password: str, user: User) -> None:
    """ValidationError with a sentence for each rule that the password does not keep."""
    unmet = [line.text for line in criteria(user, password, password) if line.met is not True]
    if unmet:
        raise ValidationError([_("The password must be %(rule)s.") % {"rule": rule} for rule in unmet])


def min_length(user: User) -> int:
    """Characters. Less than MIN_LENGTH only where a second factor stands behind the password."""
    chosen = user.organization.password_min_length
    return chosen if user.second_factor_is_demanded else max(MIN_LENGTH, chosen)


def _fits(password: str, shortest: int) -> bool:
    return shortest <= len(password) <= MAX_LENGTH


def _has_all_classes(password: str) -> bool:
    kinds = (str.isupper, str.islower, str.isdecimal, lambda letter: not letter.isalnum() and not letter.isspace())
    return all(any(is_kind(letter) for letter in password) for is_kind in kinds)


# --- Used before ----------------------------------------------------------------------------------------------


def was_used_before(user: User, password: str) -> bool:
    """Whether it is one of the last passwords that the organisation forbids, the current one included."""
    number = user.organization.password_history
    old = OldPassword.objects.filter(user=user).order_by("-id").values_list("password", flat=True)
    current = [user.password] if user.has_own_password else []
    hashes = [*current, *old[: max(number - len(current), 0)]][:number]
    return any(check_password(password, hashed) for hashed in hashes)


def _not_reused(user: User) -> str:
    count = user.organization.password_history
    return ngettext("not your last password", "not one of your last %(count)d passwords", count) % {"count": count}


# --- Made of what everybody knows about its owner ----------------------------------------------------------------


def is_personal(password: str, user: User) -> bool:
    text = rest = password.casefold().translate(LEET)
    for word in personal_words(user):
        rest = rest.replace(word.translate(LEET), "")
    return rest != text and sum(character.isalnum() for character in rest) < OWN_CHARACTERS


def personal_words(user: User) -> list[str]:
    """Words about the person, their address and their organisation, longest first."""
    known = [user.name, *user.address.rpartition(".")[0].split("@"), user.organization.name, user.organization.slug]
    words = {word for text in known for word in re.split(r"[\W_]+", text.casefold())}
    return sorted((word for word in words if len(word) >= _SHORTEST_PERSONAL_WORD), key=lambda word: (-len(word), word))
