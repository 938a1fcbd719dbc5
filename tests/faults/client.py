"""What a person's browser sends, without a browser: cookies, the CSRF token, forms. Every answer is noted."""

import http.client
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

NO_ANSWER = 0


@dataclass(frozen=True)
class Answer:
    method: str
    path: str
    status: int  # NO_ANSWER: the connection was refused or lost
    seconds: float
    at: float  # when it was there, in seconds since the epoch
    location: str = ""
    body: str = field(default="", repr=False)
    retry_after: str = ""


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


class Browser:
    """One person's, on one portal."""

    def __init__(self, address: str, answers: list[Answer], *, timeout: float = 60) -> None:
        self._address, self._answers, self._timeout = address, answers, timeout
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        return self._ask("GET", path)

    def post(self, path: str, fields: dict[str, str], files: Sequence[File] = ()) -> Answer:
        if "csrf" not in self._cookies:
            self.get(path)
        fields = fields | {"csrfmiddlewaretoken": self._cookies.get("csrf", "")}
        if files:
            return self._ask("POST", path, *_multipart(fields, files))
        return self._ask("POST", path, urlencode(fields).encode(), "application/x-www-form-urlencoded")

    def log_in(self, slug: str, address: str, password: str) -> bool:
        """In two steps, as the page has them."""
        path = f"/p/{slug}/"
        self.post(path, {"address": address})
        return self.post(path, {"address": address, "password": password}).status == 302

    def _ask(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
        started = time.monotonic()
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if content_type:
            headers["Content-Type"] = content_type
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
            self._keep(response.headers.get_all("Set-Cookie") or [])
            told = (response.status, response.headers.get("Location", ""), response.headers.get("Retry-After", ""))
        except (OSError, http.client.HTTPException):
            text, told = "", (NO_ANSWER, "", "")
        finally:
            connection.close()
        status, location, retry_after = told
        seconds = time.monotonic() - started
        answer = Answer(method, path, status, seconds, time.time(), urlsplit(location).path, text, retry_after)
        self._answers.append(answer)
        return answer

    def _keep(self, lines: list[str]) -> None:
        for line in lines:
            for name, morsel in SimpleCookie(line).items():
                self._cookies[name] = morsel.value


def _multipart(fields: dict[str, str], files: Sequence[File]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(16)
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    for file in files:
        head = f'name="files"; filename="{file.name}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        parts.append(head.encode() + file.content)
    start = f"--{boundary}\r\nContent-Disposition: form-data; ".encode()
    body = b"".join(start + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))
