"""Mails as the portal writes them are read by others as they were meant."""

from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import getaddresses

import pytest

from portal import envelope, mime
from portal.letters import Letter
from portal.models import OutgoingMail

TEXTS = {
    "ascii": "Somebody has written.\n\n.a line with a dot\n\ttabbed, and blanks at its end  \n",
    "umlauts": "Grüße von der Klinik – “Send me my link”\n" * 9,
    "greek": "Έχετε ένα νέο μήνυμα\n" * 9,
    "long lines": "word " * 500 + "\n",
    "long lines and umlauts": "wörd " * 500 + "\n",
    "line ends": "one\r\ntwo\rthree\nfour",
    "equals": "a=3D=\n=?utf-8?q?no?=\nFrom nobody\n",
    "nothing": "",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_both_parts_say_what_was_written(text):
    html = f"<p>{text}</p>"
    raw = b"Subject: x\r\n" + mime.alternatives(text, html)
    message = BytesParser(policy=default).parsebytes(raw)
    assert not message.defects
    for part, written in zip(message.iter_parts(), (text, html), strict=True):
        assert not part.defects
        lines = written.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
        assert part.get_content().replace("\r\n", "\n").rstrip("\n") == lines
    assert raw.isascii()
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= mime.MOST_BYTES


@pytest.mark.parametrize(
    "subject",
    [
        "North Clinic: Secure Messaging Notification",
        "North Clinic: " + "word " * 40,
        "Universitätsklinikum für Psychiatrie und Psychotherapie: Ein sehr langer Betreff, zu lang",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft " * 3,
        "x" * 300 + " and more",
        "Ω" * 200,
        "a =?utf-8?q?pretended?= word",
        "two\r\nBcc: evil@outside.example",
        "",
    ],
)
def test_a_subject_is_folded_after_its_first_word_and_read_as_written(subject):
    raw = mime.header("Subject", subject)
    assert BytesParser(policy=default).parsebytes(raw + b"\r\n")["Subject"] == " ".join(subject.split())
    first, *rest = raw.removesuffix(b"\r\n").split(b"\r\n")
    assert first != b"Subject:"
    assert (first > b"Subject: ") == bool(subject)
    assert all(len(line) <= 78 and line.startswith(b" ") and line.strip() for line in rest)


def test_a_long_subject_of_a_copy_is_folded_after_its_first_word(organization):
    """Of what the standard library writes, too."""
    message = EmailMessage()
    message["Subject"] = subject = "Ein sehr langer Betreff für ein Schreiben, das in keine einzelne Zeile passen würde"
    message.set_content("Words")
    raw = envelope.dressed(message, mail_of(organization))
    assert b"Subject: \r\n" not in raw
    assert BytesParser(policy=default).parsebytes(raw)["Subject"] == subject


@pytest.mark.parametrize(
    "name",
    [
        "Müller, Jörg",
        "Praxis Dr. Müller & Söhne, Abteilung für Innere Medizin und Kardiologie, Haus B",
        "director@bank.example, Jö",
        "Jö <director@bank.example>",
        'Jörg "Joe" [extern]; Müller: Leitung',
        "李, 雷",
        "Plain, Name",
        "Arrows <> Ltd",
        'with "quotes" and \\',
        "a =?utf-8?q?pretended?= word",
        "Long " * 40,
        "two\r\nBcc: evil@outside.example",
        "",
    ],
)
def test_a_name_never_becomes_an_address(name):
    """Read as mail programs read it: parted into addresses first, then each name decoded."""
    value = ", ".join(mime.mailbox(name, address) for address in ("a@x.example", "b@x.example"))
    raw = mime.header("From", value)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    unfolded = " ".join(message_from_bytes(raw + b"\r\n")["From"].split())
    read = [(str(make_header(decode_header(name))), address) for name, address in getaddresses([unfolded])]
    assert read == [(" ".join(name.split()), address) for address in ("a@x.example", "b@x.example")]


def test_names_that_are_not_ascii_and_addresses_that_are_not(organization):
    organization.name, organization.mail_from = "Nördliche, Klinik", "secure@north.example"
    letter = Letter(subject="x", text="x", html="<p>x</p>", reply_to="desk@north.example")
    message = BytesParser(policy=default).parsebytes(envelope.dressed(letter, mail_of(organization)))
    assert message["From"].addresses[0].display_name == organization.name
    assert message["From"].addresses[0].addr_spec == "secure@north.example"
    assert message["Reply-To"] == "desk@north.example"
    raw = envelope.dressed(letter, mail_of(organization, "jürgen@outside.example"))
    assert "To: jürgen@outside.example\r\n".encode() in raw


def mail_of(organization, to_address: str = "first@outside.example") -> OutgoingMail:
    from portal import moments, outbox
    from portal.ids import uuid7

    return outbox.new_mail(
        organization=organization,
        kind="probe",
        about=uuid7(),
        to_address=to_address,
        dedupe_key="probe",
        due_at=moments.now(),
    )
