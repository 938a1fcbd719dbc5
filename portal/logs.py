"""Logs: one line, or one JSON object, for each thing that happened, to standard error.

No secret, subject or body is ever given to a logger. What libraries say of themselves is another matter: an error of
theirs may quote an address, a path a token. So everything goes through `masked` last. Nothing that was typed can begin
a line of its own: JSON escapes line ends, and the plain form does, too.
"""

import re
import secrets
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

Event = MutableMapping[str, Any]

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
# Where a credential stands in a path.
_TOKEN = re.compile(r"(/reset/)[^/\s\"']{8,}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configuration(log_format: str, level: str) -> dict[str, Any]:
    """Django's LOGGING. `log_format`: json or plain."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    shown: list[Any] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
    ]
    shown += [masked, structlog.processors.JSONRenderer() if log_format == "json" else _plain]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": shown,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"structured": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
    }


def masked(_logger: Any, _method: str, event: Event) -> Event:
    """Addresses and tokens taken out of every text."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _TOKEN.sub(r"\1(token)", _ADDRESS.sub("(address)", value))
    return event


def _plain(_logger: Any, _method: str, event: Event) -> str:
    """For people: a line, and a traceback below it, set in."""
    traceback = event.pop("exception", "")
    known = [str(event.pop(name, "")) for name in ("timestamp", "level", "logger", "event")]
    line = "{} {} {}: {}".format(*map(_on_one_line, known))
    more = " ".join(f"{name}={_on_one_line(str(value))}" for name, value in event.items())
    below = "".join(f"\n    {_on_one_line(part)}" for part in traceback.splitlines())
    return f"{line} {more}".rstrip() + below


def _on_one_line(text: str) -> str:
    """Controls as Python writes them: no line end, no terminal's colours."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class RequestIdMiddleware:
    """Each request has an id, which stands in every line logged for it and in the answer. A proxy of our own may have
    given it one already."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "") if settings.TRUSTED_PROXIES else ""
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response
