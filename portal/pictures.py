"""What a file that is said to be a picture really is, by its first bytes and its inner lengths. Nothing is unpacked:
a picture that would fill the memory of whoever opens it is known by the size that its header claims.

PNG: ISO/IEC 15948. JPEG: ITU-T T.81, annex B. WebP: RFC 9649. ICO: a directory of PNG or bitmap pictures.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _


class NotAPicture(Exception):
    """Why this is not taken, in a sentence."""


@dataclass(frozen=True)
class Picture:
    kind: str  # png, jpeg, webp or ico
    width: int  # pixels
    height: int
    content: bytes


CONTENT_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "ico": "image/x-icon"}
_PNG = b"\x89PNG\r\n\x1a\n"


def read(content: bytes) -> Picture:
    """The picture; NotAPicture for anything else, also for one that is cut off or carries something behind its end."""
    if b"<svg" in content[:1024].lower() or content.lstrip().startswith(b"<?xml"):
        raise NotAPicture(_("SVG pictures can carry scripts and are not taken. Save it as PNG."))
    for kind, (begins, size_of) in _KINDS.items():
        if begins(content):
            try:
                width, height = size_of(content)
            except (struct.error, IndexError, _Broken):
                break
            return Picture(kind, width, height, content)
    raise NotAPicture(_("This is not a whole picture of a kind that is taken, whatever its name says."))


class _Broken(Exception):
    pass


def _need(condition: bool) -> None:
    if not condition:
        raise _Broken


def _png(content: bytes) -> tuple[int, int]:
    """Walks the chunks: length, name, content, checksum; the last is IEND, and nothing follows it."""
    position, names = len(_PNG), []
    while position < len(content):
        length, name = struct.unpack_from(">I4s", content, position)
        names.append(name)
        position += length + 12
    _need(position == len(content) and names[0] == b"IHDR" and names[-1] == b"IEND" and names.count(b"IEND") == 1)
    _need(b"IDAT" in names and b"acTL" not in names)  # acTL: it moves
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _jpeg(content: bytes) -> tuple[int, int]:
    """Walks the segments up to the frame's header, which says height and width."""
    _need(content.endswith(b"\xff\xd9"))
    position = 2
    while True:
        marker, code, length = struct.unpack_from(">BBH", content, position)
        _need(marker == 0xFF and length >= 2)
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", content, position + 5)
            return width, height
        _need(code != 0xDA)  # the picture itself, before any header of a frame
        position += 2 + length


def _webp(content: bytes) -> tuple[int, int]:
    (length,) = struct.unpack_from("<I", content, 4)
    _need(length + 8 == len(content))
    match content[12:16]:
        case b"VP8 ":
            _need(content[23:26] == b"\x9d\x01\x2a")
            width, height = struct.unpack_from("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            _need(content[20] == 0x2F)
            (bits,) = struct.unpack_from("<I", content, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            _need(not content[20] & 0x02)  # it moves
            width, height = (int.from_bytes(content[start : start + 3], "little") + 1 for start in (24, 27))
            return width, height
    raise _Broken


def _ico(content: bytes) -> tuple[int, int]:
    """The largest of its pictures; each must lie inside the file and be a PNG or a bitmap."""
    (count,) = struct.unpack_from("<H", content, 4)
    _need(0 < count <= 20)
    sizes = [_picture_in_ico(content, 6 + 16 * number) for number in range(count)]
    return max(sizes)


def _picture_in_ico(content: bytes, entry: int) -> tuple[int, int]:
    length, start = struct.unpack_from("<II", content, entry + 8)
    _need(start >= 22 and start + length <= len(content))
    inner = content[start : start + length]
    if inner.startswith(_PNG):
        return _png(inner)
    header, width, height = struct.unpack_from("<Iii", inner)
    _need(header == 40 and width > 0)
    return width, abs(height) // 2  # a bitmap in an ICO has its mask below it


_KINDS: dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], tuple[int, int]]]] = {
    "png": (lambda content: content.startswith(_PNG), _png),
    "jpeg": (lambda content: content.startswith(b"\xff\xd8\xff"), _jpeg),
    "webp": (lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", _webp),
    "ico": (lambda content: content.startswith(b"\x00\x00\x01\x00"), _ico),
}
