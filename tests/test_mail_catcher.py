"""The newcomer's mail catcher: takes everything, keeps it as it came, and shows it without letting it do anything."""

import http.client
import smtplib
from email.message import EmailMessage
from urllib.parse import quote

import pytest

from securemsg.mail_catcher import Catcher, LoopbackSMTP, start_page


@pytest.fixture
def catcher(tmp_path):
    server = LoopbackSMTP(Catcher(tmp_path))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def page(tmp_path):
    server = start_page(tmp_path, 0)
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in ({"Subject": "Hello", "From": "no-reply@portal.example", "To": "a@b.example"} | headers).items():
        message[name] = value
    message.set_content("See http://127.0.0.1:8000/p/demo/ <script>alert(1)</script>")
    message.add_alternative('<p>See <a href="http://127.0.0.1:8000/">this</a><script>alert(2)</script>', subtype="html")
    return message


def get(port: int, path: str, host: str | None = None) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{port}"})
    answer = connection.getresponse()
    return answer, answer.read().decode()


def test_it_keeps_each_mail_as_it_came(catcher, tmp_path):
    with smtplib.SMTP("127.0.0.1", catcher.port) as client:
        for number in range(3):
            client.send_message(mail(Subject=f"Number {number}"))
    files = sorted(tmp_path.glob("*.eml"))
    assert [b"Number %d" % number in path.read_bytes() for number, path in enumerate(files)] == [True] * 3
    assert all(path.name.endswith("a@b.example.eml") for path in files)


def test_a_hostile_address_is_no_path(catcher, tmp_path):
    with smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.sendmail("x@y.example", ['"../../evil"@b.example'], b"Subject: x\r\n\r\nx")
    [path] = tmp_path.glob("*.eml")
    assert path.parent == tmp_path


def test_the_page_lists_what_came_newest_first(catcher, page):
    assert "Nothing yet" in get(page, "/")[1]
    with smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.send_message(mail(Subject="First <b>"))
        client.send_message(mail(Subject="Second"))
    listing = get(page, "/")[1]
    assert listing.index("Second") < listing.index("First &lt;b&gt;")


def test_a_mail_shows_its_text_with_links_and_its_html_in_a_frame(catcher, page, tmp_path):
    with smtplib.SMTP("127.0.0.1", catcher.port) as client:
        client.send_message(mail())
    [path] = tmp_path.glob("*.eml")
    answer, content = get(page, f"/{quote(path.name)}")
    assert '<a href="http://127.0.0.1:8000/p/demo/"' in content
    assert "<script>" not in content
    assert "sandbox=" in content
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    frame, inside = get(page, f"/{quote(path.name)}/html")
    assert 'href="http://127.0.0.1:8000/"' in inside
    assert '<base target="_blank">' in inside
    policy = frame.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "script-src" not in policy


@pytest.mark.parametrize(
    "path", ["/nothing.eml", "/../newcomer.py", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/secret.key/html"]
)
def test_nothing_else_is_served(page, tmp_path, path):
    (tmp_path.parent / "secret.key").write_text("secret")
    answer, content = get(page, path)
    assert answer.status == 404
    assert "secret" not in content


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", ""])
def test_another_name_for_this_machine_is_refused(page, host):
    assert get(page, "/", host=host or "x")[0].status == 421


def test_a_taken_port_is_no_obstacle(page, tmp_path):
    other = start_page(tmp_path, page)
    assert other.server_address[1] != page
    other.shutdown()
    other.server_close()
