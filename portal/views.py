"""Pages that belong to no one: the root, and what is said when something went wrong."""

import errno
import logging
import secrets
import sys
from urllib.parse import quote

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from portal import health
from portal.keyring import MasterKeysMissing
from portal.metrics import exposition
from portal.typed_texts import typed_texts

logger = logging.getLogger(__name__)

# No vowels and no look-alikes: a reference is read out over the telephone, and spells nothing.
_REFERENCE_LETTERS = "BCDFGHJKMNPQRSTVWXZ"
RETRY_AFTER = 30  # seconds


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
def closed_portal(request: HttpRequest) -> HttpResponse:
    """410 Gone (RFC 9110, section 15.5.11), while it is being closed as well. It does not say whose portal it was: the
    page that never was anybody's answers 404 and does not either."""
    return _error(
        request,
        410,
        _("This portal is closed"),
        _(
            "Messages here cannot be read any more, and nothing can be sent. If you need one of them, ask whoever sent "
            "it to you."
        ),
    )


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """Asks neither database nor session: they may be what failed. 503 when a part of the installation is away."""
    is_away = _is_away(sys.exception())
    status = 503 if is_away else 500
    reference = _new_reference(request, status)
    context = {
        "title": _("Not possible just now") if is_away else _("Something went wrong on our side"),
        "explanation": _(
            "It is not your fault. Please try again in a few minutes; what you had saved is still there. "
            "If you were writing, go back: your browser still has it."
        ),
        "reference": reference,
    }
    try:
        response = HttpResponse(render_to_string("portal/error.html", context), status=status)
    except Exception:
        logger.exception("Reference %s: the error page itself failed", reference)
        words = f"{context['title']}. {context['explanation']} {reference}"
        response = HttpResponse(words, content_type="text/plain; charset=utf-8", status=status)
    if is_away:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return response


def _is_away(error: BaseException | None) -> bool:
    """Whether it is nobody's mistake and will pass: the database cannot be reached, has no room or gave up on a
    deadlock; the master keys cannot be read; a disk is full or broken."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
    return isinstance(error, OperationalError | InterfaceError | MasterKeysMissing)


@login_not_required
@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that could not be checked. What the person had typed is given back, so that nothing is lost."""
    context = {"texts": typed_texts(request, reason), "reference": _new_reference(request, 403)}
    return render(request, "portal/csrf_failure.html", context, status=403)


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


# --- For machines ---------------------------------------------------------------------------------------------


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process lives. Asks nothing of anybody else."""
    return HttpResponse("alive\n", content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Whether the installation can do its work; 503 and a line for each part that cannot, with what to do."""
    found = health.problems()
    text = "".join(f"{line}\n" for line in found) or "ready\n"
    return HttpResponse(text, status=503 if found else 200, content_type="text/plain; charset=utf-8")


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever shows METRICS_TOKEN; for everybody else there is nothing here."""
    wanted, shown = settings.METRICS_TOKEN, request.headers.get("Authorization", "")
    if not wanted or not secrets.compare_digest(shown.encode(), f"Bearer {wanted}".encode()):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
