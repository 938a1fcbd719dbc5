"""Looking for words where they must not be: in files, in dumps, in a broker, however they may be written there."""

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

# Read in pieces that overlap by more than any word is long.
PIECE_BYTES = 1 << 20
OVERLAP_BYTES = 1 << 10


def spellings(word: str) -> Iterator[bytes]:
    """The word as a plain, a wide, a hexadecimal or a base64 text would hold it."""
    plain = word.encode()
    yield plain
    yield word.encode("utf-16-le")
    yield plain.hex().encode()
    for before in range(3):
        # The first and last letters depend on the neighbours, too; what is between them does not.
        yield base64.b64encode(b" " * before + plain)[4 if before else 0 : -4]


def words_in(content: bytes, words: Iterable[str]) -> list[str]:
    """Which of the words stand there."""
    return [word for word in words if any(spelling in content for spelling in spellings(word))]


def files_holding(folder: Path, words: list[str]) -> list[str]:
    """Every file below the folder that holds one of the words, in its name or its content, as "file: word"."""
    found = [f"{path}: {word}" for path in _files(folder) for word in words if word in path.name]
    return found + [f"{path}: {word}" for path in _files(folder) for word in sorted(_words_of(path, words))]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _words_of(path: Path, words: list[str]) -> set[str]:
    found: set[str] = set()
    try:
        file = path.open("rb")
    except FileNotFoundError:  # a database's own file for a while, gone since it was listed
        return found
    with file:
        tail = b""
        while piece := file.read(PIECE_BYTES):
            found.update(words_in(tail + piece, words))
            tail = piece[-OVERLAP_BYTES:]
    return found


class GrowingFiles:
    """Logs and the like, of which only what has come since the last look is read."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}

    def holding(self, paths: Iterable[Path], word: str) -> list[str]:
        return [str(path) for path in paths if word in path.name or self._news_holds(path, word)]

    def _news_holds(self, path: Path, word: str) -> bool:
        try:
            size, known = path.stat().st_size, self._read.get(path, 0)
            if size == known:
                return False
            with path.open("rb") as file:
                # From the start, if written anew; else with the end of what was read, for a word in two parts.
                file.seek(max(0, known - OVERLAP_BYTES) if size > known else 0)
                content = file.read()
                self._read[path] = file.tell()
        except FileNotFoundError:
            return False
        return bool(words_in(content, [word]))
