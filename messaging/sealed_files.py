"""Files at rest: sealed in chunks as they arrive, opened in chunks as they leave.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance", 2015) over AES-256-GCM with a key of the file's own:

    1 byte version · chunks of 64 KiB, each with its 16-byte tag, the last one possibly shorter
    nonce of a chunk: 7 zero bytes · 4 bytes position · 1 byte, 1 for the last chunk and 0 for every other

Every chunk is verified before a byte of it is released; a file that was cut, reordered or moved to another
id does not open. Nothing is ever in the clear on any disk, and memory use does not depend on the size.
"""

import contextlib
import errno
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from portal.keyring import SealBroken

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
_VERSION = b"\x01"
_UNFINISHED = ".part"


def path_of(file_id: uuid.UUID) -> Path:
    """Where the file lies: by its id alone, spread over folders by the random end of the id."""
    name = file_id.hex
    return settings.ATTACHMENTS_DIR / name[-2:] / name


def sealed_size(size: int) -> int:
    """Bytes on disk of a file of that many bytes; an empty one has one empty chunk."""
    chunks = max(1, -(-size // CHUNK_BYTES))
    return len(_VERSION) + size + chunks * TAG_BYTES


class SealedWriter:
    """Takes bytes of any length, writes sealed chunks beside the file's place, and moves them there when finished."""

    def __init__(self, file_id: uuid.UUID, key: bytes) -> None:
        self.size = 0
        self._cipher = AESGCM(key)
        self._associated_data = file_id.bytes
        self._position = 0
        self._pending = bytearray()
        self._path = path_of(file_id)
        self._unfinished = self._path.with_name(self._path.name + _UNFINISHED)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = self._unfinished.open("xb")
        self._file.write(_VERSION)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._pending += data
        # Strictly more than one chunk: the last one, full or not, is only known when the file ends.
        while len(self._pending) > CHUNK_BYTES:
            self._write_chunk(bytes(self._pending[:CHUNK_BYTES]), last=False)
            del self._pending[:CHUNK_BYTES]

    def finish(self) -> None:
        """Durable from here on: file and folder are synced before the name appears."""
        self._write_chunk(bytes(self._pending), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.rename(self._unfinished, self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def abandon(self) -> None:
        """Forget what was written."""
        with contextlib.suppress(OSError):  # closing writes what is still buffered, to a disk that may be full
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            self._unfinished.unlink()

    def _write_chunk(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._position, last), chunk, self._associated_data))
        self._position += 1


def open_sealed(file_id: uuid.UUID, key: bytes, size: int) -> Iterator[bytes]:
    """The file's bytes, chunk by chunk. SealBroken at once when the file is missing or has not the sealed length of
    `size` bytes, and in the middle when a chunk was changed; nothing unverified is ever yielded."""
    return _chunks(_opened(file_id, size), AESGCM(key), file_id.bytes, size)


def _opened(file_id: uuid.UUID, size: int) -> BinaryIO:
    """The sealed file, at its first chunk."""
    try:
        file = path_of(file_id).open("rb")
    except FileNotFoundError as error:
        raise SealBroken("the file of this attachment is missing") from error
    if os.fstat(file.fileno()).st_size != sealed_size(size) or os.pread(file.fileno(), 1, 0) != _VERSION:
        file.close()
        raise SealBroken("the file of this attachment is not what was written")
    file.seek(len(_VERSION))
    return file


def _chunks(file: BinaryIO, cipher: AESGCM, associated_data: bytes, size: int) -> Iterator[bytes]:
    sealed, last = _room_for_a_chunk(), _last_position(size)
    with file:
        for position in range(last + 1):
            yield _next_chunk(file, sealed, cipher, associated_data, position, position == last)


def _last_position(size: int) -> int:
    return max(0, -(-size // CHUNK_BYTES) - 1)


def _room_for_a_chunk() -> memoryview:
    return memoryview(bytearray(CHUNK_BYTES + TAG_BYTES))


def _next_chunk(
    file: BinaryIO, sealed: memoryview, cipher: AESGCM, associated_data: bytes, position: int, is_last: bool
) -> bytes:
    """Read over what was in `sealed` before: new memory for each chunk would cost more than reading it does."""
    length = file.readinto(sealed)  # type: ignore[attr-defined]
    try:
        return cipher.decrypt(_nonce(position, is_last), sealed[:length], associated_data)
    except InvalidTag as error:
        raise SealBroken(f"chunk {position} of an attachment does not open") from error


class SealedReader(io.RawIOBase):
    """The file's bytes from anywhere in it, a chunk at a time. SealBroken as in open_sealed."""

    def __init__(self, file_id: uuid.UUID, key: bytes, size: int) -> None:
        self._file = _opened(file_id, size)
        self._sealed = _room_for_a_chunk()
        self._cipher = AESGCM(key)
        self._associated_data = file_id.bytes
        self._size = size
        self._last = _last_position(size)
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as a file on a disk has it
        self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        position, start = divmod(self._at, CHUNK_BYTES)
        self._file.seek(len(_VERSION) + position * (CHUNK_BYTES + TAG_BYTES))
        is_last = position == self._last
        chunk = _next_chunk(self._file, self._sealed, self._cipher, self._associated_data, position, is_last)
        part = chunk[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()


def keep_alive(file_id: uuid.UUID) -> bool:
    """As if it had just been written: attachments.collect_orphans takes old ones. False: it is not there."""
    try:
        os.utime(path_of(file_id))
    except OSError:
        return False
    return True


def remove(file_id: uuid.UUID) -> None:
    """Delete the file; nothing happens when it is gone already."""
    path_of(file_id).unlink(missing_ok=True)


def _nonce(position: int, last: bool) -> bytes:
    return bytes(7) + position.to_bytes(4, "big") + bytes([last])
