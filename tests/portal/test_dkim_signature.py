"""The signature on a mail, as somebody else's verifier sees it."""

import base64
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import example, given
from hypothesis import strategies as st

from portal import dkim_signature

KEY = rsa.generate_private_key(65537, 2048)
RECORD = b"v=DKIM1; k=rsa; p=" + base64.b64encode(
    KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)
AT = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
HEAD = b"From: a@north.example\r\nTo: b@outside.example\r\nSubject: Hello\r\n"

words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
blanks = st.sampled_from([" ", "  ", "\t", "\r\n ", " \r\n\t "])
values = st.lists(st.tuples(blanks, words), min_size=1, max_size=6).map(lambda pairs: "".join(map("".join, pairs)))
lines = st.lists(st.one_of(words, st.sampled_from([" ", "\t", "", "", "a  b", "ends in blanks \t", " begins so", "ü"])))
# As DATA carries them: each line has its end.
bodies = lines.map(lambda found: "".join(f"{line}\r\n" for line in found)).map(str.encode)


def signed(message: bytes) -> bytes:
    options = {"domain": "north.example", "selector": "sm202602", "key": KEY, "at": AT}
    return dkim_signature.header(message, **options) + message


def verifies(message: bytes) -> bool:
    def txt(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"sm202602._domainkey.north.example."
        return RECORD

    return dkim.verify(message, dnsfunc=txt)


@given(values, values, bodies)
@example(" x", " y", b"")
@example(" x", " y", b"\r\n")
@example(" x", " y", b"\r\n\r\n \t\r\n")
@example(" x", " y", b"a\r\n \r\n\r\n")
@example(" x", " y", b" a \t b \r\n")
def test_whatever_a_mail_says_its_signature_verifies(subject, reply_to, body):
    head = f"From: a@north.example\r\nTo: b@outside.example\r\nReply-To:{reply_to}\r\nX-Other: 1\r\nSUBJECT:{subject}"
    assert verifies(signed(head.encode() + b"\r\n\r\n" + body))


def test_blanks_and_case_of_names_may_change_on_the_way():
    message = signed(HEAD + b"\r\nA  word\r\n")
    assert verifies(message.replace(b"\r\nSubject: Hello", b"\r\nsubject:   Hello ").replace(b"A  word", b"A word "))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Hello", b"hello"),
        (b"A word", b"Aword"),
        (b"A word", b"A word\r\n\r\nand another"),
        (b"To: b@", b"To: c@"),
        (b"\r\nTo:", b"\r\nReply-To: c@outside.example\r\nReply-To: d@outside.example\r\nTo:"),
        (b"t=1772323199", b"t=1772323200"),
    ],
)
def test_nothing_else_may(before, after):
    head = b"Reply-To: a@north.example\r\n" + HEAD
    message = signed(head + b"\r\nA word\r\n")
    assert verifies(message)
    assert before in message
    assert not verifies(message.replace(before, after, 1))


@pytest.mark.parametrize(
    "name", [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version"]
)
def test_no_header_of_those_that_are_signed_can_be_added(name):
    head = HEAD + b"Date: Sat, 28 Feb 2026 23:59:59 +0000\r\nMessage-ID: <1@north.example>\r\n"
    message = signed(head + b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\r\nA word\r\n")
    assert verifies(message)
    assert not verifies(name + b": something else\r\n" + message)


def test_no_line_is_long():
    head = b"".join(name.title() + b": x\r\n" for name in dkim_signature._SIGNED)
    header = dkim_signature.header(head + b"\r\n", domain="n" * 40 + ".example", selector="sm202602", key=KEY, at=AT)
    assert max(map(len, header.split(b"\r\n"))) <= 110
    assert header.endswith(b"\r\n")
    assert all(line.startswith(b" ") for line in header.split(b"\r\n")[1:-1])
