"""How hard a password is to guess, in words: advice beside the criteria, which alone decide (password_rules.py).

zxcvbn estimates it. Its work grows with more than the square of the length, for some texts a second at 72 characters:
it is shown the beginning, 40 ms at most. Nothing about the person goes into it, for what it is told so it keeps in one
place for all threads. Its sentences are English; ours, in the reader's language, stand here.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from zxcvbn import zxcvbn

from . import password_rules
from .models import User

# Characters. Whoever has so many that are hard to guess has no need of advice.
JUDGED = 24

_STRENGTHS = (
    _("Very easy to guess."),
    _("Easy to guess."),
    _("Could be guessed with patience."),
    _("Hard to guess."),
    _("Very hard to guess."),
)
_HARD = 3
# zxcvbn's sentence → ours; empty: what the criteria say already.
WORDS: dict[str, Promise | str] = {
    "Use a few words, avoid common phrases.": _("Use a few words that are no saying."),
    "No need for symbols, digits, or uppercase letters.": "",
    "Add another word or two. Uncommon words are better.": _("Add another word or two; unusual ones are better."),
    "Straight rows of keys are easy to guess.": _("Rows of keys are easy to guess."),
    "Short keyboard patterns are easy to guess.": _("Patterns on the keyboard are easy to guess."),
    "Use a longer keyboard pattern with more turns.": "",
    'Repeats like "aaa" are easy to guess.': _("Repeats such as “aaa” are easy to guess."),
    'Repeats like "abcabcabc" are only slightly harder to guess than "abc".': _(
        "“abcabcabc” is hardly harder to guess than “abc”."
    ),
    "Avoid repeated words and characters.": "",
    'Sequences like "abc" or "6543" are easy to guess.': _("Runs such as “abc” or “6543” are easy to guess."),
    "Avoid sequences.": "",
    "Recent years are easy to guess.": _("Years are easy to guess."),
    "Avoid recent years.": "",
    "Avoid years that are associated with you.": "",
    "Dates are often easy to guess.": _("Dates are easy to guess."),
    "Avoid dates and years that are associated with you.": "",
    "This is a top-10 common password.": _("This is one of the passwords that are tried first."),
    "This is a top-100 common password.": _("This is one of the passwords that are tried first."),
    "This is a very common password.": _("Many people use this password."),
    "This is similar to a commonly used password.": _("Many people use a password much like this one."),
    "A word by itself is easy to guess.": _("A single word is easy to guess."),
    "Names and surnames by themselves are easy to guess.": _("A name by itself is easy to guess."),
    "Common names and surnames are easy to guess.": _("Names are easy to guess."),
    "Capitalization doesn't help very much.": _("A capital at the beginning helps little."),
    "All-uppercase is almost as easy to guess as all-lowercase.": _("Capitals alone help little."),
    "Reversed words aren't much harder to guess.": _("Words written backwards help little."),
    "Predictable substitutions like '@' instead of 'a' don't help very much.": _(
        "Signs in place of letters, such as “@” for “a”, help little."
    ),
}


def advice(user: User, password: str) -> str:
    """A sentence on how hard it is to guess, and what would make it harder; empty for nothing. A password that the
    criteria refuse is not praised."""
    beginning = password_rules.normalize(password)[:JUDGED]
    if not beginning:
        return ""
    judged = zxcvbn(beginning)
    if judged["score"] >= _HARD and not password_rules.text_is_fine(user, password):
        return ""
    told = [judged["feedback"]["warning"], *judged["feedback"]["suggestions"]]
    sentences = [_STRENGTHS[judged["score"]], *(WORDS.get(sentence, "") for sentence in told)]
    return " ".join(str(sentence) for sentence in sentences if sentence)
