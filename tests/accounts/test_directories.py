import pytest
from django.core.exceptions import ValidationError

from accounts import directories
from accounts.directories import InvalidAddress, InvalidAddresses, ParsedAddress, normalize_address, parse_addresses
from portal.models import AuditEvent

# --- One address ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("first@outside.example", "first@outside.example"),
        (" First.Last+Tag@OUTSIDE.Example\n", "first.last+tag@outside.example"),
        ("info@bücher.example", "info@xn--bcher-kva.example"),
        ("info@bu\u0308cher.example", "info@xn--bcher-kva.example"),  # the same letters, decomposed
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("info@xn--bcher-kva.example", "info@xn--bcher-kva.example"),
        ("info@例え。example", "info@xn--r8jz45g.example"),
        ("o'neil@outside.example", "o'neil@outside.example"),
        ("first@outside.example.", "first@outside.example"),
    ],
)
def test_it_has_one_form(text, address):
    assert normalize_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "first",
        "@outside.example",
        "first@",
        "first@outside",
        "first@localhost",
        "first@@outside.example",
        "first@out side.example",
        "first@-outside.example",
        "first@[192.0.2.1]",
        "fi rst@outside.example",
        "first@outside.example\nBcc: x@evil.example",
        "first\x00@outside.example",
        '"a b"@outside.example',
        "fürst@outside.example",
        "first@straße.example",
        "first@" + "a" * 64 + ".example",
        "a" * 65 + "@outside.example",
        "a" * 60 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + "." + "e" * 60 + ".example",
        "first@a..example",
    ],
)
def test_what_is_no_address_is_refused_in_words(text):
    with pytest.raises(InvalidAddress) as caught:
        normalize_address(text)
    assert str(caught.value).startswith("“")
    assert "\n" not in str(caught.value)


# --- A field full of them -------------------------------------------------------------------------------------


def test_every_way_of_writing_them_is_read():
    found = parse_addresses('First One <A@b.example>, c@d.example; "Doe, Jane" <jane@d.example>\r\n g@h.example ,;')
    assert found == [
        ParsedAddress("a@b.example", "First One"),
        ParsedAddress("c@d.example", ""),
        ParsedAddress("jane@d.example", "Doe, Jane"),
        ParsedAddress("g@h.example", ""),
    ]


def test_each_counts_once():
    assert parse_addresses("First <a@b.example>, A@B.example") == [ParsedAddress("a@b.example", "First")]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a@b.example c@d.example\te@f.example", ["a@b.example", "c@d.example", "e@f.example"]),
        ("a@b.example Jane Doe <c@d.example> e@f.example", ["a@b.example", "c@d.example", "e@f.example"]),
        ('"Doe, Jane" <a@b.example> John Doe <c@d.example>', ["a@b.example", "c@d.example"]),
        ("a@b.example <a@b.example>", ["a@b.example"]),
        ("Doe @ Work <a@b.example>", ["a@b.example"]),
    ],
)
def test_a_list_whose_line_ends_were_lost_is_whole(text, addresses):
    """As browsers paste one into a field of one line. None may be taken for another's name."""
    assert [parsed.address for parsed in parse_addresses(text)] == addresses


def test_nothing_is_nothing():
    assert parse_addresses(" \n , ; ") == []


def test_every_wrong_one_is_named():
    with pytest.raises(InvalidAddresses) as caught:
        parse_addresses("a@b.example, nonsense; Name <also wrong> x@@y c@d.example stray")
    assert [text for text, _why in caught.value.problems] == ["nonsense", "Name <also wrong>", "x@@y", "stray"]
    assert "“nonsense” is not an email address" in caught.value.problems[0][1]


def test_a_name_cannot_smuggle_anything_in():
    [parsed] = parse_addresses("Evil\x1b[31m\x00Name" + "x" * 300 + " <a@b.example>")
    assert parsed.name.startswith("Evil [31m Name") and len(parsed.name) == 120


def test_a_very_long_field_is_read_quickly():
    assert len(parse_addresses(", ".join(f"n{number}@b.example" for number in range(5000)))) == 5000


# --- What an administrator decides ----------------------------------------------------------------------------


def actions() -> list[str]:
    # By name: ids of one millisecond have no order.
    return sorted(AuditEvent.objects.values_list("action", flat=True))


def test_disabling_ends_access_at_once(log_in, recipient, administrator):
    client = log_in(recipient)
    directories.disable(actor=administrator, user=recipient)
    assert client.get("/inbox/").status_code == 302
    assert recipient.disabled_at is not None and not recipient.sessions.exists()
    first = recipient.disabled_at
    directories.disable(actor=administrator, user=recipient)
    assert recipient.disabled_at == first
    directories.enable(actor=administrator, user=recipient)
    recipient.refresh_from_db()
    assert recipient.may_log_on
    assert actions() == ["user.disabled", "user.enabled"]


def test_switching_logon_off_ends_sessions(log_in, recipient, administrator):
    client = log_in(recipient)
    directories.allow_logon(actor=administrator, user=recipient, allowed=False)
    assert client.get("/inbox/").status_code == 302 and not recipient.sessions.exists()
    directories.allow_logon(actor=administrator, user=recipient, allowed=False)
    directories.allow_logon(actor=administrator, user=recipient, allowed=True)
    recipient.refresh_from_db()
    assert recipient.allow_logon
    assert actions() == ["user.logon_allowed", "user.logon_forbidden"]


def test_only_internal_users_are_licensed(colleague, recipient, administrator):
    directories.license_sender(actor=administrator, user=colleague, licensed=True)
    directories.license_sender(actor=administrator, user=colleague, licensed=False)
    assert actions() == ["user.licence_taken", "user.licensed"]
    with pytest.raises(ValidationError):
        directories.license_sender(actor=administrator, user=recipient, licensed=True)
    recipient.refresh_from_db()
    assert not recipient.is_licensed
