"""`make run`: one process that has everything, keeps everything, and serves nobody but this machine."""

import html
import http.cookiejar
import json
import os
import re
import signal
import socket
import stat
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy
from pathlib import Path

import pytest

from tests.portal_process import command, environment, free_port, running


class Visitor:
    """A browser without script: keeps cookies, follows redirects, posts a page's form."""

    def __init__(self) -> None:
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        self.url = self.page = ""

    def get(self, url: str) -> str:
        return self._open(url, None)

    def post(self, **fields: str) -> str:
        """Fill in the page's form that has these fields, and send it."""
        for attributes, content in re.findall(r"<form([^>]*)>(.*?)</form>", self.page, re.DOTALL):
            if all(f'name="{name}"' in content for name in fields):
                action = re.search(r'action="([^"]*)"', attributes)
                url = urllib.parse.urljoin(self.url, html.unescape(action[1]) if action else "")
                hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', content)
                values = {name: html.unescape(value) for name, value in hidden} | fields
                return self._open(url, urllib.parse.urlencode(values).encode())
        raise AssertionError(f"no form with {', '.join(fields)} on {self.url}")

    def _open(self, url: str, data: bytes | None) -> str:
        request = urllib.request.Request(url, data, headers={"Referer": self.url} if self.url else {})
        try:
            answer = self._opener.open(request, timeout=10)
        except urllib.error.HTTPError as page:
            if page.code != 422:  # the form comes back with a question
                raise
            answer = page
        with answer:
            self.url, self.page = answer.url, answer.read().decode()
        return self.page


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """One process for all the tests of this file that only look at it."""
    folder = tmp_path_factory.mktemp("var")
    with running(folder) as process:
        yield process


@pytest.fixture(scope="module")
def told(started) -> dict:
    return json.loads((started.folder / "demo.json").read_text())


def test_it_says_where_it_is_and_who_may_log_in(started, told):
    said = "\n".join(started.said)
    assert f"securemsg is ready at {told['url']}" in said
    assert told["login_url"] in said
    assert told["mail_url"] in said
    for person in told["people"]:
        assert person["email"] in said
        assert person["password"] in said
    assert "for trying it out" in said
    assert not re.search("warning|error|traceback", said, re.IGNORECASE)


def test_the_same_is_in_demo_json(told):
    assert set(told) == {"url", "login_url", "mail_url", "organization", "people"}
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", told["url"])
    assert told["login_url"] == f"{told['url']}p/{told['organization']}/"
    assert [person["role"] for person in told["people"]] == ["sender", "recipient", "administrator"]
    for person in told["people"]:
        assert set(person) == {"name", "email", "password", "role"}
        assert len(person["password"]) >= 15
    assert len({person["password"] for person in told["people"]}) == 3


def test_its_secrets_are_its_owners_alone(started):
    assert stat.S_IMODE(started.folder.stat().st_mode) == 0o700
    for name in ("master.keys", "secret.key", "passwords.json", "demo.json"):
        assert stat.S_IMODE((started.folder / name).stat().st_mode) == 0o600, name


def test_it_listens_on_loopback_only(told):
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in others - {"127.0.0.1", "127.0.1.1"}:
        for url in (told["url"], told["mail_url"]):
            with pytest.raises(OSError):
                socket.create_connection((address, urllib.parse.urlsplit(url).port), timeout=2)


def test_its_pages_have_their_styles(told):
    visitor = Visitor()
    page = visitor.get(told["url"])
    styles = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert styles
    for style in styles:
        assert visitor.get(urllib.parse.urljoin(told["url"], style))


def log_in(told: dict, role: str) -> Visitor:
    person = next(person for person in told["people"] if person["role"] == role)
    visitor = Visitor()
    visitor.get(told["login_url"])
    visitor.post(address=person["email"])
    visitor.post(address=person["email"], password=person["password"])
    assert "/inbox/" in visitor.url
    return visitor


@pytest.mark.parametrize("role", ["sender", "recipient", "administrator"])
def test_everybody_can_log_in(told, role):
    log_in(told, role)


def test_a_message_goes_out_and_its_mail_is_caught(started, told):
    visitor = log_in(told, "sender")
    visitor.get(f"{told['url']}compose/")
    before = set(started.mails())
    letter = {"to": "newcomer@elsewhere.example", "subject": "Quite secret", "body": "Nobody else reads this."}
    visitor.post(**letter, action="send")
    visitor.post(**letter, action="send_confirmed")  # nobody has written to that domain before
    mails = wait_for_mails(started, before, 2, to="newcomer@elsewhere.example")
    texts = [mail.get_body(("plain",)).get_content() for mail in mails]
    assert sum(told["login_url"] in text for text in texts) >= 1
    assert not any("Quite secret" in text or "Nobody else" in text for text in texts)
    page = visitor.get(told["mail_url"])
    assert page.count("newcomer@elsewhere.example") >= 2


def wait_for_mails(started, before: set[Path], count: int, to: str) -> list[EmailMessage]:
    """The new mails to one address; what the people who have just logged in are told of it may arrive between them."""
    ends = time.monotonic() + 30  # the time in which sending can be undone, a look of the clock, and some
    while time.monotonic() < ends:
        new = [path for path in started.mails() if path not in before]
        mails = [BytesParser(policy=email_policy).parsebytes(path.read_bytes()) for path in new]
        arrived = [mail for mail in mails if mail["To"] == to]
        if len(arrived) >= count:
            return arrived
        time.sleep(0.05)
    raise AssertionError(f"{count} mails were to arrive; there are {len(started.mails())}")


def test_a_second_process_in_the_same_folder_is_refused(started):
    refused = subprocess.run(
        command(started.folder), env=environment(free_port()), capture_output=True, text=True, timeout=60
    )
    assert refused.returncode == 1
    assert "running already" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("port", ["taken", "0", "65536", "http"])
def test_a_port_it_cannot_have_is_a_clear_error(tmp_path, port):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = str(listening.getsockname()[1]) if port == "taken" else port
        refused = subprocess.run(
            command(tmp_path), env=os.environ | {"PORT": number}, capture_output=True, text=True, timeout=60
        )
    assert refused.returncode == 1
    assert number in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_ends_and_a_second_start_finds_everything(tmp_path):
    port = free_port()
    with running(tmp_path, port) as process:
        first = json.loads((tmp_path / "demo.json").read_text())
        visitor = log_in(first, "sender")
        visitor.get(f"{first['url']}compose/")
        visitor.post(to="recipient@outside.example", subject="Still here?", body="Yes.", action="send")
        started = time.monotonic()
        assert process.interrupt() == 0
        assert time.monotonic() - started < 5
    assert "has stopped" in process.said[-1]
    assert "Traceback" not in "\n".join(process.said)
    kept = {name: (tmp_path / name).read_bytes() for name in ("master.keys", "secret.key", "passwords.json")}
    with running(tmp_path, port) as process:
        assert json.loads((tmp_path / "demo.json").read_text()) == first
        assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
        assert "Still here?" in visitor.get(f"{first['url']}sent/"), "the old session, the old message"
        # It could still be undone when the process ended.
        wait_for_mails(process, set(), 1, to="recipient@outside.example")
        assert "Still here?" in log_in(first, "recipient").page
        assert process.interrupt(signal.SIGTERM) == 0


def test_its_environment_cannot_lead_it_elsewhere(tmp_path):
    """Whatever a shell has exported for a real installation, the trial stays in its folder."""
    elsewhere = {
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/real",
        "BROKER_URL": "redis://127.0.0.1:1/0",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "BASE_URL": "https://portal.example.org",
        "MASTER_KEYS_FILE": "/nonexistent",
        "DJANGO_SETTINGS_MODULE": "nonexistent",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in elsewhere.items():
            patch.setenv(name, value)
        with running(tmp_path):
            assert (tmp_path / "securemsg.sqlite3").exists()
