"""A browser's part: one person's cookies, a kept-alive connection, bytes counted and thrown away."""

import http.client
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

CHUNK = 64 * 1024


@dataclass
class Answer:
    status: int
    size: int  # bytes of its body
    seconds: float
    location: str


@dataclass
class Browser:
    port: int
    cookies: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """A multipart form, as the compose page posts one."""
        return self.post_file(path, fields)

    def post_file(self, path: str, fields: dict[str, str], *, file_bytes: int | None = None) -> Answer:
        """The same with a file of so many bytes, made up while it is sent."""
        boundary = secrets.token_hex(16)
        # A form's own token is this one masked; Django takes either.
        token = SimpleCookie(self.cookies)["csrf"].value
        parts = list(_form(boundary, fields | {"csrfmiddlewaretoken": token}, file_bytes))
        length = sum(part if isinstance(part, int) else len(part) for part in parts)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(length),
            "Referer": f"http://127.0.0.1:{self.port}/",
        }
        return self._ask("POST", path, _bytes_of(parts), headers)

    def _ask(self, method: str, path: str, body: Iterator[bytes] | None, headers: dict[str, str]) -> Answer:
        began = time.perf_counter()
        self._connection.request(method, path, body, headers | {"Cookie": self.cookies})
        response = self._connection.getresponse()
        size = 0
        while chunk := response.read(CHUNK):
            size += len(chunk)
        return Answer(response.status, size, time.perf_counter() - began, response.headers.get("Location", ""))


def _form(boundary: str, fields: dict[str, str], file_bytes: int | None) -> Iterator[bytes | int]:
    for name, value in fields.items():
        yield f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    if file_bytes is not None:
        yield (
            f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="large.bin"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        yield file_bytes
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _bytes_of(parts: list[bytes | int]) -> Iterator[bytes]:
    piece = secrets.token_bytes(CHUNK)
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        for at in range(0, part, CHUNK):
            yield piece[: min(CHUNK, part - at)]
