"""Makes passwords.txt.gz anew: `python accounts/common_passwords/build.py`. README.md says what is in it and why."""

import gzip
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth import password_validation

FOLDER = Path(__file__).parent
MIN_LENGTH = 15

# How far down Django's list, which is in order of frequency, each rule goes.
PAIRED, REPEATED, TAILED = 60, 1500, 100
TAILS = ("123456789", "1234567890", "12345678", "123123123", "password", "iloveyou", "forever", "qwertyuiop")
ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm")
COLUMNS = ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik", "9ol", "0p")


def entries() -> set[str]:
    """All of them, without separators, lower case, at least MIN_LENGTH characters."""
    everything = itertools.chain(_listed(), _pairs(), _repetitions(), _tailed(), _walks(), _sequences(), _phrases())
    return {entry for entry in everything if len(entry) >= MIN_LENGTH and entry.isprintable()}


def _ranked() -> list[str]:
    path = Path(password_validation.__file__).with_name("common-passwords.txt.gz")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [line.strip().casefold() for line in lines]


def _words(first: int) -> list[str]:
    words = [word for word in _ranked() if re.fullmatch(r"[a-z]{4,12}", word)]
    return words[:first]


def _listed() -> Iterator[str]:
    return (squeezed(entry) for entry in _ranked())


def _pairs() -> Iterator[str]:
    return (first + second for first in _words(PAIRED) for second in _words(PAIRED))


def _repetitions() -> Iterator[str]:
    """Written again and again, until it is long enough."""
    for unit in _ranked()[:REPEATED]:
        if 3 <= len(unit) < MIN_LENGTH:
            yield squeezed(unit) * -(-MIN_LENGTH // len(unit))


def _tailed() -> Iterator[str]:
    for word, tail in itertools.product(_words(TAILED), TAILS):
        yield word + tail
        yield tail + word


def _walks() -> Iterator[str]:
    """Along rows, along columns, to and fro, and two rows woven into one."""
    for runs in (ROWS, COLUMNS):
        for direction in (runs, tuple(reversed(runs)), tuple(run[::-1] for run in runs)):
            text = "".join(direction)
            for start in range(len(text) - MIN_LENGTH + 1):
                for length in range(MIN_LENGTH, 25):
                    yield text[start : start + length]
    for first, second in itertools.permutations(ROWS, 2):
        woven = "".join(itertools.chain.from_iterable(zip(first, second, strict=False)))
        yield woven
        yield woven * 2
        yield first + second


def _sequences() -> Iterator[str]:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    digits = "01234567890" * 4
    for text in (alphabet, alphabet[::-1], digits, digits[::-1], digits[1:], "".join(map(str, range(1, 40)))):
        for length in range(MIN_LENGTH, 31):
            yield text[:length]
            yield (text[:10] + text[:10][::-1] + text[:10])[:length]
    for letter in alphabet + "0123456789":
        for length in range(MIN_LENGTH, 31):
            yield letter * length


def _phrases() -> Iterator[str]:
    """phrases.txt: each line alone, and where it has braces, each of the choices in them."""
    for line in (FOLDER / "phrases.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            yield from (squeezed(phrase) for phrase in _choices(line))


def _choices(line: str) -> Iterator[str]:
    match = re.search(r"{([^{}]*)}", line)
    if not match:
        yield line
        return
    for choice in match[1].split("|"):
        yield from _choices(line[: match.start()] + choice + line[match.end() :])


def squeezed(text: str) -> str:
    """Lower case, without what people put between words."""
    return re.sub(r"[\W_]+", "", text.casefold())


if __name__ == "__main__":
    found = sorted(entries())
    # No time stamp: the same sources give the same file.
    packed = gzip.compress("\n".join(found).encode(), mtime=0)
    (FOLDER / "passwords.txt.gz").write_bytes(packed)
    print(f"{len(found)} entries of {MIN_LENGTH} characters or more, {len(packed)} bytes")
