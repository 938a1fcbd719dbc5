import pytest
from django.test import RequestFactory

from accounts.http import browser_name, client_address, own_path


def request(remote: str = "10.0.0.1", forwarded: str | None = None):
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers)


@pytest.mark.parametrize(
    ("hops", "forwarded", "address"),
    [
        (0, "192.0.2.1", "10.0.0.1"),
        (1, None, "10.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "6.6.6.6, 192.0.2.1", "192.0.2.1"),  # the visitor wrote the first one
        (2, "6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.1", "10.0.0.1"),  # fewer hops than we have: not from our proxies
        (1, "nonsense", None),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_our_own_proxies_saw(settings, hops, forwarded, address):
    settings.TRUSTED_PROXIES = hops
    assert client_address(request(forwarded=forwarded)) == address


def test_a_socket_tells_no_address():
    assert client_address(request(remote="")) is None


def test_a_browsers_name_cannot_forge_a_line_in_a_log():
    named = RequestFactory().get("/", headers={"user-agent": "Nice\r\n\x1b[31mBrowser\x85" + "x" * 500})
    assert browser_name(named).startswith("Nice[31mBrowser")
    assert len(browser_name(named)) == 300


@pytest.mark.parametrize("path", ["/", "/inbox/", "/sent/?before=1#x", "/a//b"])
def test_paths_of_the_portal_pass(path):
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "inbox/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example/",
        "http:evil.example",
        "javascript:alert(1)",
        " /inbox/",
        "\x00/inbox/",
        "http://testserver/inbox/",
    ],
)
def test_nothing_else_does(path):
    assert own_path(path) is None
