"""What lies in a ZIP archive, read from the list at its end (APPNOTE.TXT, 4.3.12). Nothing is ever unpacked, so none
can burst; what lies in an archive within the archive stays unseen. Office documents and Java programs are archives,
too: what is in them tells which.
"""

import io
import struct
import uuid
import zipfile
from dataclasses import dataclass

from . import file_types
from .file_types import Kind
from .sealed_files import CHUNK_BYTES, SealedReader

# Of the list, which is read into memory: some ten thousand files.
MOST_LIST_BYTES = 1024 * 1024
_ENCRYPTED = 1  # in a file's flags


@dataclass(frozen=True)
class Look:
    """What a look into an archive has shown."""

    kind: Kind
    doubt: str = ""  # file_types.CLOSED or LOCKED
    forbidden: str = ""  # the first name in it of a type that the organisation forbids


def look_into(file_id: uuid.UUID, key: bytes, size: int, kind: Kind, forbidden: frozenset[str]) -> Look:
    """The stored archive of `size` bytes, which begins as that kind does; one that cannot be read is CLOSED."""
    try:
        with _Bounded(SealedReader(file_id, key, size), size) as file, zipfile.ZipFile(file) as archive:
            return _seen(archive.infolist(), kind, forbidden)
    # What the library makes of a list that is damaged, or meant to be.
    except (zipfile.BadZipFile, NotImplementedError, OverflowError, ValueError, struct.error):
        return Look(kind, doubt=file_types.CLOSED)


def _seen(files: list[zipfile.ZipInfo], kind: Kind, forbidden: frozenset[str]) -> Look:
    names = {file.filename for file in files}
    is_locked = any(file.flag_bits & _ENCRYPTED for file in files)
    hits = (name for name in sorted(names) if forbidden.intersection(file_types.endings_of(_base(name))))
    return Look(
        _made_for(names) if kind is file_types.ZIP else kind, file_types.LOCKED if is_locked else "", next(hits, "")
    )


def _made_for(names: set[str]) -> Kind:
    if "[Content_Types].xml" in names:  # Office Open XML: ISO/IEC 29500-2, 10.2.3
        return file_types.MACROS if any(name.endswith("vbaProject.bin") for name in names) else file_types.OFFICE
    return file_types.JAVA if "META-INF/MANIFEST.MF" in names else file_types.ZIP


def _base(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2]


class _Bounded(io.BufferedReader):
    """Reads no more at once than the longest list."""

    def __init__(self, file: SealedReader, length: int) -> None:
        super().__init__(file, CHUNK_BYTES)
        self._length = length

    def read(self, size: int | None = -1) -> bytes:
        wanted = size if size is not None and size >= 0 else self._length - self.tell()
        if wanted > MOST_LIST_BYTES:
            raise zipfile.BadZipFile("too long to be looked into")
        return super().read(wanted)
