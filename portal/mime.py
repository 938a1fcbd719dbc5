"""MIME (RFC 2045 to 2047, 5322) for what the portal writes itself: headers of known names, a text with its HTML. All of
it is 7 bit and no line longer than 998 bytes, so that no server on the way has a reason to re-encode it.

The standard library parses each header that it is given and builds a tree of the parts, a millisecond for each mail;
here that is done for those headers that need it, and once for all mails that share them.
"""

import base64
import binascii
import re
import secrets
import textwrap
from email import policy
from email.header import Header
from email.utils import formataddr, getaddresses
from functools import lru_cache

MOST_BYTES = 998  # in a line, without its end (RFC 5322, 2.1.1)
_PLAIN_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
_FITS = 76
_OF_ADDRESSES = {"From", "Sender", "Reply-To", "To", "Cc", "Bcc"}
_LINE_END = "\r\n"
_ASCII = bytes(range(128))


def written(name: str, value: str, *, utf8: bool = False) -> bytes:
    """One header with its line end, folded and encoded as it has to be. utf8: as it is (RFC 6532)."""
    if name == "Subject":
        return _subject(value)
    if name in _OF_ADDRESSES:
        return _addresses(name, value)
    if len(name) + len(value) < _FITS and _PLAIN_VALUE.fullmatch(value):
        return f"{name}: {value}\r\n".encode()
    wire = policy.SMTP.clone(cte_type="7bit", utf8=utf8)
    return wire.fold(*wire.header_store_parse(name, value)).encode()


# Those of notifications, which say the same again and again.
header = lru_cache(maxsize=1024)(written)


def mailbox(name: str, address: str) -> str:
    """The address with its owner's name (RFC 5322, 3.4), as `header` takes it. A name beyond plain letters is put into
    encoded words (RFC 2047) here: the library would put a comma or < of it among them, which makes it two addresses."""
    name = " ".join(name.split())
    if not name:
        return address
    if name.isascii() and name.isprintable() and "=?" not in name:
        return formataddr((name, "")).removesuffix("<>") + f"<{address}>"
    words = Header(name, "utf-8", maxlinelen=_FITS, header_name="Reply-To").encode(linesep="").split()
    return f"{' '.join(words)} <{address}>"


def _addresses(name: str, value: str) -> bytes:
    if not value.isascii():
        value = ", ".join(mailbox(*pair) for pair in getaddresses([value]))
    lines = textwrap.wrap(f"{name}: {value}", _FITS, break_long_words=False, break_on_hyphens=False)
    return (_LINE_END + " ").join(lines).encode() + _LINE_END.encode()


def _subject(value: str) -> bytes:
    """Never folded before its first word: many a program then shows a blank before it, or no subject."""
    words = value.split()
    plain = (
        value.isascii() and value.isprintable() and "=?" not in value and max(map(len, words), default=0) < _FITS - 16
    )
    folded = Header(" ".join(words), "us-ascii" if plain else "utf-8", maxlinelen=_FITS, header_name="Subject")
    return f"Subject: {folded.encode(linesep=_LINE_END)}\r\n".encode()


def alternatives(text: str, html: str) -> bytes:
    """The rest of a mail, from MIME-Version on, that says the same as text and as HTML (RFC 2046, 5.1.4)."""
    boundary = f"=_{secrets.token_hex(12)}".encode()  # "=_" stands in no quoted-printable and in no base64
    return b"".join(
        (
            b'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="%b"\r\n' % boundary,
            b"\r\n--%b\r\n" % boundary,
            _part("plain", text),
            b"\r\n--%b\r\n" % boundary,
            _part("html", html),
            b"\r\n--%b--\r\n" % boundary,
        )
    )


def _part(subtype: str, content: str) -> bytes:
    lines = content.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n") + "\n"
    encoding, body = _encoded(lines.replace("\n", _LINE_END).encode())
    head = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    return head.encode() + body


def _encoded(content: bytes) -> tuple[str, bytes]:
    """As it is where it can be; else whichever is shorter."""
    others = len(content.translate(None, delete=_ASCII))
    if not others and max(map(len, content.split(b"\r\n"))) <= MOST_BYTES:
        return "7bit", content
    if others * 6 < len(content):
        return "quoted-printable", binascii.b2a_qp(content, istext=True)
    return "base64", base64.encodebytes(content).replace(b"\n", b"\r\n")
