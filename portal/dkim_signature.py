"""The signature of DKIM (RFC 6376) on a mail: rsa-sha256, relaxed/relaxed. Signing alone; others verify.

The library that the tests verify with signs in Python's own arithmetic, which takes longer than all else that a mail
costs; OpenSSL takes a twentieth of that.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# Each once more than it stands there, so that none can be added without breaking the signature.
_SIGNED = b"from to subject date message-id reply-to auto-submitted mime-version content-type".split()
_FOLD = b"\r\n "
_NAMES_IN_A_LINE = 5


def header(message: bytes, *, domain: str, selector: str, key: RSAPrivateKey, at: datetime) -> bytes:
    """DKIM-Signature with its line end, to stand above the message.

    The message has CRLF line ends, a header at least, and each of the headers that are signed once at most.
    """
    head, _empty_line, body = message.partition(b"\r\n\r\n")
    found = {name: line for name, line in map(_relaxed_header, re.split(rb"\r\n(?![ \t])", head)) if name in _SIGNED}
    names = [name for name in _SIGNED if name in found]
    body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest())
    unsigned = _FOLD.join(
        (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain};".encode(),
            f"s={selector}; t={int(at.timestamp())};".encode(),
            b"h=" + (b":" + _FOLD).join(_in_lines([*names, *names])) + b";",
            b"bh=" + body_hash + b";",
            b"b=",
        )
    )
    covered = b"\r\n".join([*(found[name] for name in names), _relaxed_header(unsigned)[1]])
    signature = base64.b64encode(key.sign(covered, PKCS1v15(), hashes.SHA256()))
    return unsigned + _FOLD.join(signature[n : n + 72] for n in range(0, len(signature), 72)) + b"\r\n"


def _in_lines(names: Sequence[bytes]) -> Iterator[bytes]:
    for n in range(0, len(names), _NAMES_IN_A_LINE):
        yield b":".join(names[n : n + _NAMES_IN_A_LINE])


def _relaxed_header(line: bytes) -> tuple[bytes, bytes]:
    """The name in small letters, and the whole, unfolded and with single blanks (3.4.2)."""
    name, _colon, value = line.partition(b":")
    name = name.strip().lower()
    return name, name + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """Single blanks, none at the end of a line, no empty lines at the end (3.4.4)."""
    lines = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n").rstrip(b" ")
    while lines.endswith(b"\r\n"):
        lines = lines[:-2]
    return lines + b"\r\n" if lines else b""
