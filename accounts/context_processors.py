from typing import Any

from django.http import HttpRequest

from . import sessions


def session(request: HttpRequest) -> dict[str, Any]:
    """For static/js/session.js: how many seconds this session lasts if nothing more happens. No query."""
    if not hasattr(request, "user") or not request.session.session_key:
        return {}
    return {"session_seconds": sessions.seconds_left(request)}
