"""Requests no page of ours would send: fixed sessions, forged forms, foreign hosts, ways out to other sites."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import mail_requests
from portal import delivery
from tests.conftest import PASSWORD

# --- Session fixation -------------------------------------------------------------------------------------------


def test_a_session_from_before_does_not_become_the_persons(recipient, try_log_in):
    thief = Client()
    thief.post("/p/north/", {"address": recipient.address})
    for planted in ["x" * 32, thief.cookies.get("session", type("", (), {"value": "y" * 32})).value]:
        victim = Client()
        victim.cookies["session"] = planted
        try_log_in(victim, recipient.address, PASSWORD)
        assert victim.cookies["session"].value != planted
        thief.cookies["session"] = planted
        assert thief.get("/inbox/").status_code == 302


def test_logging_in_again_ends_what_the_browser_held(recipient, second_recipient, try_log_in, log_in):
    client = log_in(recipient)
    before = client.cookies["session"].value
    client.post("/log-out/")
    try_log_in(client, second_recipient.address, PASSWORD)
    stolen = Client()
    stolen.cookies["session"] = before
    assert stolen.get("/inbox/").status_code == 302


# --- Forged forms -----------------------------------------------------------------------------------------------

POSTED = [
    ("log_in", ["north"]),
    ("set_password", ["north"]),
    ("password_advice", ["north"]),
    ("second_factor", ["north"]),
    ("reset_password", ["north"]),
    ("help_page", ["north"]),
    ("send_link", []),
    ("log_out", []),
    ("account", []),
    ("change_password", []),
    ("confirm", []),
    ("end_session", []),
    ("stay", []),
    ("add_app", []),
    ("add_passkey", []),
    ("recovery_codes", []),
    ("remove_second_factor", []),
]


@pytest.mark.parametrize(("name", "arguments"), POSTED, ids=[name for name, _arguments in POSTED])
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_no_form_without_the_token_of_its_page(recipient, name, arguments, origin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(recipient)
    headers = {"Origin": origin} if origin else {}
    response = client.post(reverse(name, args=arguments), {"address": recipient.address}, headers=headers)
    assert response.status_code == 403


def test_no_view_is_exempt_from_the_check():
    views = [
        pattern.callback for part in get_resolver().url_patterns for pattern in getattr(part, "url_patterns", [part])
    ]
    assert not any(getattr(view, "csrf_exempt", False) for view in views)


# --- Hosts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8000", "127.0.0.1@evil.example"]
)
def test_a_foreign_host_gets_no_page(organization, host):
    assert Client().get("/p/north/", HTTP_HOST=host).status_code == 400


FORGED = dict.fromkeys(
    ("X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-HTTP-Host-Override", "X-Original-Host"), "evil.example"
)


@pytest.mark.parametrize("url", ["/p/north/reset/", "/send-link/"])
@pytest.mark.parametrize("host", ["127.0.0.1", "testserver"], ids=["ours", "another the portal answers to"])
def test_links_in_mails_ask_no_header(recipient, smtp, url, host):
    headers = FORGED | {"Forwarded": "host=evil.example", "Origin": "https://evil.example"}
    Client().post(url, {"address": recipient.address}, HTTP_HOST=host, headers=headers)
    mail_requests.answer_waiting()
    delivery.deliver_due()
    [message] = smtp.messages
    assert "evil.example" not in message.as_string()
    hosts = set(re.findall(r"https?://([^/\s\"<]+)", message.get_body(("html",)).get_content()))
    assert hosts == {"127.0.0.1:8000"}


# --- Ways out ---------------------------------------------------------------------------------------------------

_HOST = "evil.example"
_SCHEMES = ["", "http:", "https:", "HTTP:", "javascript:", "data:text/html,", "vbscript:", "ftp:", "//", "\\\\"]
_SLASHES = ["//", "///", "////", "/\\", "\\/", "\\\\", "/\t/", "/\n/", "/\r/", "/%09/", "/ /", "/\x00/", "/.//", "/@"]
OUT = sorted({f"{scheme}{slashes}{_HOST}" for scheme in _SCHEMES for slashes in _SLASHES}) + [
    f"/{character}/{_HOST}" for character in "\t\n\r\x0b\x0c\x00\x1f\\\u2028\u3000"
] + [
    f"http://127.0.0.1:8000@{_HOST}/",
    f"//127.0.0.1:8000@{_HOST}",
    f"//{_HOST}/%2f..",
    f"/%5c{_HOST}",
    f"//{_HOST}\\@127.0.0.1",
    f"https:{_HOST}",
    f"https:/{_HOST}",
    f"\x01https://{_HOST}",
    f" https://{_HOST}",
    f"\thttps://{_HOST}",
    f"http:\\\\{_HOST}",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html;base64,PHNjcmlwdD4=",
    _HOST,
    f".{_HOST}",
    f"@{_HOST}",
    "",
    "\\",
    "//",
    "///",
    f"https://{_HOST}#@127.0.0.1:8000",
    f"https://127.0.0.1:8000.{_HOST}/",
    f"https://127.0.0.1:8000%2f@{_HOST}/",
    f"https://127.0.0.1:8000%00.{_HOST}/",
    f"https://127.0.0.1:8000\\@{_HOST}/",
    f"https://127.0.0.1:8000?@{_HOST}/",
    f"//user:password@{_HOST}/inbox/",
    f"//{_HOST}:443/inbox/",
    f"//{_HOST}?/inbox/",
    f"//{_HOST}#/inbox/",
    f"/\\{_HOST}/inbox/",
    f"/\t/\t{_HOST}",
    f"/\n\n/{_HOST}",
    f"\r\n//{_HOST}",
    f"/\r\nLocation: https://{_HOST}/",
    f"\ufeff//{_HOST}",
    f"\u00a0//{_HOST}",
    "//evil\u3002example",
    "//ⓔvil.example",
    "//2130706433/",
    "//0x7f.1/",
    "//[::1]/",
    "//[::ffff:127.0.0.1]/",
    "https://[::1",
    "http://",
    "https:",
    "ws://evil.example",
    "blob:https://evil.example/x",
    "filesystem:https://evil.example/x",
    "mailto:a@evil.example",
    "tel:+442079460000",
    "about:blank",
    "file:///etc/passwd",
    "intent://evil.example#Intent;scheme=https;end",
    "view-source:https://evil.example",
    "jav&#x61;script:alert(1)",
    "java\nscript:alert(1)",
    "\x00javascript:alert(1)",
    "javascript://%0aalert(1)",
] + [f"{prefix}{_HOST}" for prefix in ("〱", "ゝ", "⁄⁄", "／／", "/／", "／/", "//\u200b", "\u200b//")]  # fmt: skip


def leaves(location: str) -> bool:
    """Whether a browser that is sent there goes to another site: as browsers read it (WHATWG), which drop tabs and line
    ends, and take a backslash for a slash."""
    text = re.sub(r"[\t\n\r]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    return text.startswith("//") or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", text) is not None or not text.startswith("/")


def test_the_corpus_is_large():
    assert len(set(OUT)) >= 200


def sample() -> list[str]:
    """Of all kinds, for the corpus is in their order. One rule judges them everywhere; at logging out, all of them."""
    return OUT[::5]


def test_no_way_out_after_logging_in(recipient, try_log_in):
    client = Client()
    form = {"address": recipient.address, "password": PASSWORD}
    for number, target in enumerate(sample()):
        response = client.post("/p/north/?" + _query(target), form, REMOTE_ADDR=f"10.0.{number // 256}.{number % 256}")
        assert response.status_code == 302 and not leaves(response.url), repr(target)
        client.post("/log-out/")


def test_no_way_out_elsewhere(recipient, log_in):
    client = log_in(recipient)
    for target in sample():
        for response in (
            client.get("/p/north/?" + _query(target)),
            client.post("/session/stay/", {"next": target}),
            client.post("/account/confirm/?" + _query(target), {"current_password": PASSWORD}),
        ):
            assert response.status_code == 302 and not leaves(response.url), repr(target)


def test_no_way_out_when_logging_out(recipient, log_in):
    for target in OUT:
        response = log_in(recipient).post("/log-out/", {"next": target})
        assert response.status_code == 302 and not leaves(response.url), repr(target)


def _query(target: str) -> str:
    from urllib.parse import urlencode

    return urlencode({"next": target})
