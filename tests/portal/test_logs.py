"""Logs: structured, each line its own, with nothing in them that is nobody's business."""

import io
import json
import logging
import logging.config

import pytest

from messaging import drafts, sending
from portal import delivery, outbox
from portal.ids import uuid7
from portal.logs import configuration
from tests.smtp_server import running

CANARIES = ("Kanarienvogel", "first@outside.example", "second@elsewhere.example", "a kettle on the seventh roof")


@pytest.fixture
def logged():
    """logged(format): what is logged from now on, as a function that returns the text."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()

    def begin(log_format: str):
        wanted = configuration(log_format, "DEBUG")
        wanted["handlers"]["stderr"]["stream"] = stream
        logging.config.dictConfig(wanted)
        return stream.getvalue

    yield begin
    root.handlers[:] = before
    root.setLevel(level)


def test_json_is_an_object_a_line(logged):
    text = logged("json")
    logging.getLogger("portal.outbox").warning("Mail %s waits", 7)
    (line,) = text().splitlines()
    event = json.loads(line)
    assert event.pop("timestamp").endswith("Z")
    assert event == {"event": "Mail 7 waits", "level": "warning", "logger": "portal.outbox"}


@pytest.mark.parametrize("log_format", ["json", "plain"])
def test_what_was_typed_begins_no_line_of_its_own(logged, log_format):
    text = logged(log_format)
    forged = "x\r\n2026-01-01 CRITICAL root: all is lost\x1b[31m\u2028\x85"
    logging.getLogger("a").warning("Path %s", forged)
    assert len(text().splitlines()) == 1
    assert "\x1b" not in text()


def test_a_traceback_in_plain_is_set_in_and_forges_nothing(logged):
    text = logged("plain")
    try:
        raise ValueError("x\n2026-01-01 CRITICAL root: all is lost")
    except ValueError:
        logging.getLogger("a").exception("It failed")
    first, *below = text().splitlines()
    assert "error a: It failed" in first
    assert below
    assert all(line.startswith("    ") for line in below)


def test_a_request_has_an_id_that_stands_in_its_lines_and_its_answer(logged, client, db):
    text = logged("json")
    response = client.get("/nothing-here/")
    lines = [json.loads(line) for line in text().splitlines() if "Reference" in line]
    assert [line["request_id"] for line in lines] == [response.headers["X-Request-ID"]]
    assert client.get("/").headers["X-Request-ID"] != response.headers["X-Request-ID"]


@pytest.mark.parametrize(
    ("proxies", "given", "kept"), [(1, "abcdef-0123", True), (0, "abcdef-0123", False), (1, "a\tb", False)]
)
def test_a_proxys_id_is_kept_where_a_proxy_is_trusted(client, db, settings, proxies, given, kept):
    settings.TRUSTED_PROXIES = proxies
    assert (client.get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given) is kept


@pytest.mark.parametrize("log_format", ["json", "plain"])
def test_no_secret_subject_or_address_is_logged(logged, log_format, sender, recipient, client, settings, monkeypatch):
    """A message goes its whole way, and everything that can go wrong does, with every logger wide open."""
    text = logged(log_format)
    address = f"/p/north/reset/{'tok3n' * 8}/"
    draft = drafts.DraftText(
        to=f"{recipient.address}, second@elsewhere.example", subject="Kanarienvogel", body="<p>Kanarienvogel</p>"
    )
    entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=draft).entry
    sending.send_draft(actor=sender, entry=entry)

    def failing(mail):
        raise ValueError(f"cannot write to {mail.to_address}")

    monkeypatch.setitem(outbox.kinds, "notification_failed", outbox.Kind(lambda _mails: failing))
    with running() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        server.script["RCPT"] = lambda argument: f"550 no such user {argument}" if "second@" in argument else None
        delivery.deliver_due()

    client.get(address)
    client.get("/nothing/first@outside.example/")
    client.post("/p/north/", {"address": recipient.address, "password": "a kettle on the seventh roof"})
    logging.getLogger("library").error("550 5.1.1 <first@outside.example> unknown; GET %s", address)
    found = text()
    assert "cannot be written" in found
    assert "(address)" in found
    assert "(token)" in found
    for canary in (*CANARIES, "tok3n"):
        assert canary not in found, canary
