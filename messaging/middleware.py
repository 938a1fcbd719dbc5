from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from . import access
from .views.navigation import mailbox_context


class GoneMiddleware:
    """A page may be older than what became of its message: whatever is asked of it then, what became of it is told."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, access.Gone):
            context = {**mailbox_context(request), "reason": exception.reason}  # type: ignore[arg-type]
            return render(request, "messaging/gone.html", context, status=410)
        if isinstance(exception, access.Undone):
            messages.info(request, _("The sending of this message has been undone: it is a draft again."))
            return redirect("draft", exception.message_id)
        return None
