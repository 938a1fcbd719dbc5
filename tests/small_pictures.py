"""Pictures of a few bytes, made by hand: of the kinds that browsers show."""

import struct
import zlib


def png(width: int, height: int, *, colour: tuple[int, int, int] = (200, 30, 90), extra: bytes = b"") -> bytes:
    """extra: chunks before the picture's own."""
    rows = (b"\0" + bytes(colour) * width) * min(height, 600)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    inner = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + inner


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def jpeg(width: int, height: int) -> bytes:
    jfif = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0\1\1\0\0\1\0\1\0\0"
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\1\1\0\0\x3f\0" + b"\x2a"
    return b"\xff\xd8" + jfif + frame + scan + b"\xff\xd9"


def webp(kind: bytes, content: bytes) -> bytes:
    inner = b"WEBP" + kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def lossy_webp(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0\0")


def lossless_webp(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0")


def extended_webp(width: int, height: int, *, flags: int = 0) -> bytes:
    sizes = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", bytes([flags, 0, 0, 0]) + sizes)


def ico(*pictures: bytes) -> bytes:
    """Of PNGs or bitmaps, as they are."""
    entries, start = b"", 6 + 16 * len(pictures)
    for picture in pictures:
        entries += struct.pack("<BBBBHHII", 0, 0, 0, 0, 1, 32, len(picture), start)
        start += len(picture)
    return struct.pack("<HHH", 0, 1, len(pictures)) + entries + b"".join(pictures)


def bitmap(width: int, height: int) -> bytes:
    return struct.pack("<IiiHHIIiiII", 40, width, height * 2, 1, 32, 0, 0, 0, 0, 0, 0) + bytes(width * height * 4)
