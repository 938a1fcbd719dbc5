"""Whoever is shown what is in a message has opened it, whichever address shows it: the sender's history notes it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from accounts.http import AuthenticatedRequest
from messaging import receipts
from messaging.models import MailboxEntry


def note(request: AuthenticatedRequest, copy: MailboxEntry) -> None:
    if request.method != "HEAD":
        receipts.record_opening(actor=request.user, entry=copy)


def never_ahead(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A browser fetching ahead of a click gets nothing: nobody has opened anything yet, and it would show later what it
    has without asking again."""

    @wraps(view)
    def shown(request: AuthenticatedRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "prefetch" in request.headers.get("Sec-Purpose", request.headers.get("Purpose", "")):
            return HttpResponse(status=503, headers={"Cache-Control": "no-store"})
        return view(request, *args, **kwargs)

    return shown
