"""The newcomer's mail catcher: a real SMTP server on loopback that delivers to nobody, and a page that shows it all.

Every mail becomes a file of its own, `<folder>/<time>-<recipient>.eml`, exactly as it came over the wire.
"""

import asyncio
import itertools
import re
import socket
import threading
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default as email_policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils.html import format_html, format_html_join, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

LOOPBACK = "127.0.0.1"


class LoopbackSMTP(Controller):
    """aiosmtpd's server in a thread, on a free port: `.port` says which, once it has started."""

    def __init__(self, handler: Any) -> None:
        super().__init__(handler, hostname=LOOPBACK, port=0)

    def _create_server(self) -> Any:
        # The controller calls its own server once, at the port it was told: port 0 must be a real one by then.
        listening = socket.create_server((LOOPBACK, 0))
        self.port = listening.getsockname()[1]
        return self.loop.create_server(self._factory_invoker, sock=listening)


class Catcher:
    """aiosmtpd's handler: files each mail, under a name that sorts by arrival."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)  # noqa: S101  for the type checker: decode_data is off
        recipients = "+".join(re.sub(r"[^\w.@-]", "_", address) for address in envelope.rcpt_tos)
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{next(self._numbers):04}-{recipients[:120]}.eml"
        await asyncio.to_thread(self._save, name, envelope.content)
        return "250 Caught"

    def _save(self, name: str, content: bytes) -> None:
        # Renamed into place, so that whoever watches the folder never reads half a mail.
        unfinished = self.folder / f".{name}"
        unfinished.write_bytes(content)
        unfinished.rename(self.folder / name)


def start_page(folder: Path, port: int) -> ThreadingHTTPServer:
    """Serve the page from a thread of its own; on any free port where the wanted one is taken."""
    handler = type("Handler", (MailPage,), {"folder": folder})
    try:
        server = ThreadingHTTPServer((LOOPBACK, port), handler)
    except OSError:
        server = ThreadingHTTPServer((LOOPBACK, 0), handler)
    threading.Thread(target=server.serve_forever, args=[0.05], name="mail page", daemon=True).start()
    return server


class MailPage(BaseHTTPRequestHandler):
    """`/` lists the mails, `/<file>` shows one, `/<file>/html` is the frame's content."""

    folder: Path
    protocol_version = "HTTP/1.1"
    _PAGE_POLICY = "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'"
    # What a mail brings may look as it likes, but neither run nor fetch anything; its links open in a window of
    # their own.
    _FRAME_POLICY = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox"
    )

    def do_GET(self) -> None:  # noqa: N802
        # Other names that lead to loopback are another site's attempt to read along (DNS rebinding).
        if self.headers.get("Host", "").rpartition(":")[0] not in (LOOPBACK, "localhost"):
            return self._send(421, "text/plain", _("Use the address that the portal printed."))
        path = unquote(urlsplit(self.path).path)
        if path == "/":
            return self._send(200, "text/html", _page(_("Caught mail"), _listing(self.folder)))
        if path == "/style.css":
            return self._send(200, "text/css", _STYLE)
        name, _slash, part = path[1:].partition("/")
        # Only what the folder lists: a name from the address bar is never a path.
        if part in ("", "html") and name in _names(self.folder):
            return self._send_mail(name, as_html=part == "html")
        return self._send(404, "text/html", _page(_("No such mail"), _home_link()))

    def _send_mail(self, name: str, *, as_html: bool) -> None:
        mail = _read(self.folder / name)
        if as_html:
            content = f'<!doctype html><base target="_blank">{_text(mail, "html")}'
            return self._send(200, "text/html", content, self._FRAME_POLICY)
        return self._send(200, "text/html", _page(str(mail["Subject"] or name), _one_mail(name, mail)))

    def _send(self, status: int, content_type: str, content: str, policy: str = _PAGE_POLICY) -> None:
        body = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        pass


def _names(folder: Path) -> list[str]:
    return sorted((path.name for path in folder.glob("[!.]*.eml")), reverse=True)


def _read(path: Path) -> EmailMessage:
    return BytesParser(policy=email_policy).parsebytes(path.read_bytes())


def _text(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return part.get_content() if part else ""


def _listing(folder: Path) -> SafeString:
    rows = format_html_join(
        "",
        '<li><a href="/{}">{}</a> <span>{} · {}</span></li>',
        (
            (quote(name), mail["Subject"] or _("(no subject)"), mail["To"], mail["Date"])
            for name, mail in ((name, _read(folder / name)) for name in _names(folder)[:200])
        ),
    )
    if not rows:
        return format_html("<p>{}</p>", _("Nothing yet. What the portal mails shows here; reload to look again."))
    return format_html("<ol>{}</ol>", rows)


def _one_mail(name: str, mail: EmailMessage) -> SafeString:
    headers = format_html_join(
        "", "<dt>{}</dt><dd>{}</dd>", ((header, mail[header]) for header in ("From", "To", "Date") if mail[header])
    )
    plain = format_html(
        "<h2>{}</h2><pre>{}</pre>",
        _("Text"),
        mark_safe(urlize(_text(mail, "plain"), autoescape=True)),  # noqa: S308
    )
    html = format_html(
        '<h2>{0}</h2><iframe title="{0}" src="/{1}/html"'
        ' sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>',
        _("HTML"),
        quote(name),
    )
    return format_html("{}<dl>{}</dl>{}{}", _home_link(), headers, plain, html if _text(mail, "html") else "")


def _home_link() -> SafeString:
    return format_html('<p><a href="/">{}</a></p>', _("All caught mail"))


def _page(title: str, content: SafeString) -> str:
    return format_html(
        '<!doctype html><html lang="en-gb"><meta charset="utf-8"><title>{0}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css">'
        "<main><h1>{0}</h1>{1}</main></html>",
        title,
        content,
    )


_STYLE = """
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }
main { max-inline-size: 60rem; margin-inline: auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1rem; }
ol { list-style: none; padding: 0; }
li { padding-block: .5rem; border-block-end: 1px solid; }
li span { display: block; font-size: .875rem; }
dt { font-weight: bold; }
dd { margin: 0; }
pre { white-space: pre-wrap; border: 1px solid; padding: 1rem; }
iframe { inline-size: 100%; block-size: 40rem; border: 1px solid; background: #fff; }
"""
