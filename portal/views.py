"""Pages that belong to no one: the root, and what is said when something went wrong."""

import logging
import secrets
from typing import Any
from urllib.parse import quote

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from portal.plain_text import plain_text

logger = logging.getLogger(__name__)

# No vowels and no look-alikes: a reference is read out over the telephone, and spells nothing.
_REFERENCE_LETTERS = "BCDFGHJKMNPQRSTVWXZ"


@login_not_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """There is no generic log-on: says where the way in is."""
    return render(request, "portal/home.html")


@login_not_required
def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        400,
        _("That request made no sense to us"),
        _("Something in it was missing or not as expected. Go back, reload the page and try again."),
    )


@login_not_required
@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        403,
        _("This is not allowed"),
        # Whoever refused may have said why, in words for the reader.
        str(exception or "")
        or _(
            "The message or your account does not permit it. "
            "If you think it should, ask the sender or whoever runs this portal."
        ),
    )


@login_not_required
@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        404,
        _("There is nothing here"),
        _(
            "The address may be mistyped, or what was here is gone. "
            "To read a message, use the link in its notification."
        ),
    )


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither database nor session: they may be what failed."""
    reference = _new_reference(request, 500)
    context = {
        "title": _("Something went wrong on our side"),
        "explanation": _("It is not your fault. Please try again in a few minutes; what you had saved is still there."),
        "reference": reference,
    }
    try:
        return HttpResponseServerError(render_to_string("portal/error.html", context))
    except Exception:
        logger.exception("Reference %s: the error page itself failed", reference)
        words = f"{context['title']}. {context['explanation']} {reference}"
        return HttpResponseServerError(words, content_type="text/plain; charset=utf-8")


@login_not_required
@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that could not be checked. What the person had typed is given back, so that nothing is lost."""
    context = {"texts": _typed_texts(request, reason), "reference": _new_reference(request, 403)}
    return render(request, "portal/csrf_failure.html", context, status=403)


def _typed_texts(request: HttpRequest, reason: str) -> list[tuple[str, str]]:
    """[(label, text)] of what was typed; nothing for a form that came from another site, whose words are its own."""
    if reason.startswith(("Origin", "Referer")):
        return []
    labels = {
        "to": _("To"),
        "cc": _("Cc"),
        "bcc": _("Bcc"),
        "subject": _("Subject"),
        "body": _("Message"),
        "address": _("Email Address"),
    }
    fields = _readable_post(request)
    texts = []
    for name, text in fields.items():
        # Of fields not known here, only prose: ids, choices and flags nobody typed.
        if "password" in name or not text.strip() or (name not in labels and " " not in text.strip()):
            continue
        if name == "body" and fields.get("body_format") == "html":
            text = plain_text(text)
        texts.append((labels.get(name, name), text))
    return texts


def _readable_post(request: HttpRequest) -> dict[str, str]:
    """The form's fields, files skipped; empty when it cannot be read."""
    try:
        if not hasattr(request, "_files"):
            # Not read yet: a form that failed its check stores no file.
            request.upload_handlers = [_SkippedFiles(request)]
        return {name: str(text) for name, text in request.POST.items()}
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation, BadRequest):
        return {}


class _SkippedFiles(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile


def _error(request: HttpRequest, status: int, title: str, explanation: str) -> HttpResponse:
    reference = _new_reference(request, status)
    context = {"title": title, "explanation": explanation, "reference": reference}
    if not hasattr(request, "user"):
        # Refused before anybody was recognised, such as for a wrong Host.
        return HttpResponse(render_to_string("portal/error.html", context), status=status)
    return render(request, "portal/error.html", context, status=status)


def _new_reference(request: HttpRequest, status: int) -> str:
    """Eight letters for the page and the log, so that what a person reports can be found.

    The path is quoted: a line's end in it would begin a line of its own in the log.
    """
    reference = "".join(secrets.choice(_REFERENCE_LETTERS) for _letter in range(8))
    logger.warning("Reference %s: %d for %s %s", reference, status, request.method, quote(request.path))
    return reference
