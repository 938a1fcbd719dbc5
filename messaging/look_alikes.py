"""Look-alikes: whether a domain could be taken for one that is known here. An international domain is compared by how
it is drawn, without accents and whatever script its letters come from."""

import unicodedata
from collections.abc import Iterable

from accounts import directories

# What is taken for another letter at a glance.
_LOOKS_LIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"))
# Cyrillic and Greek letters that are drawn like Latin ones: those of Unicode's UTS 39 that are in daily use.
_DRAWN_LIKE = str.maketrans("аеорсухіјѕһԁԛԝӏ" + "αορνιυ", "aeopcyxijshdqwl" + "aopviu")
_SHORTEST = 5  # letters before the ending: with fewer, one slip leads from one honest name to another


class KnownDomains:
    """Thousands of domains, made ready to be compared with hundreds of others."""

    def __init__(self, domains: Iterable[str]) -> None:
        self._drawn: dict[str, str] = {}
        self._skeletons: dict[str, str] = {}
        self._names: dict[str, str] = {}
        for domain in sorted(domains, reverse=True):  # of several the first in the alphabet is named
            drawn = _drawn(domain)
            self._drawn[drawn] = self._skeletons[_skeleton(drawn)] = self._names[_name(drawn)] = domain
        self._letters = set().union(*self._drawn)

    def twin_of(self, domain: str) -> str | None:
        """The known one that this domain, which is not known, could be taken for: it has the same skeleton, another
        ending, or is one slip of the keyboard apart."""
        drawn = _drawn(domain)
        return self._skeletons.get(_skeleton(drawn)) or self._names.get(_name(drawn)) or self._one_slip_from(drawn)

    def _one_slip_from(self, drawn: str) -> str | None:
        # To make all that is a slip away from one domain is far quicker than to compare it with all that are known.
        slips = (self._drawn.keys() & self._slips(drawn)) if len(_name(drawn)) >= _SHORTEST else set()
        return min((self._drawn[slip] for slip in slips if len(_name(slip)) >= _SHORTEST), default=None)

    def _slips(self, drawn: str) -> set[str]:
        """One character more, less or different, or two neighbours swapped."""
        halves = [(drawn[:at], drawn[at:]) for at in range(len(drawn) + 1)]
        return {
            *(before + after[1:] for before, after in halves),
            *(before + letter + after for before, after in halves for letter in self._letters),
            *(before + letter + after[1:] for before, after in halves for letter in self._letters),
            *(before + after[1::-1] + after[2:] for before, after in halves),
        }


def _drawn(domain: str) -> str:
    if "xn--" not in domain:
        return domain
    apart = unicodedata.normalize("NFKD", directories.as_written(domain))
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).translate(_DRAWN_LIKE)


def _skeleton(drawn: str) -> str:
    for looks, letter in _LOOKS_LIKE:
        drawn = drawn.replace(looks, letter)
    return drawn.replace("-", "")


def _name(drawn: str) -> str:
    return drawn.rpartition(".")[0]
