from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from .. import sessions
from ..http import AuthenticatedRequest, own_path
from ..middleware import asked_by_script, open_without_second_factor


@login_not_required
@require_safe
@asked_by_script
def session(request: HttpRequest) -> HttpResponse:
    """How many seconds the session lasts if nothing more happens: {"seconds": 0} when it is over."""
    return JsonResponse({"seconds": sessions.seconds_left(request) or 0})


@open_without_second_factor
@require_POST
def stay(request: AuthenticatedRequest) -> HttpResponse:
    """Stay logged in. The request itself is the activity; without script, back to the page."""
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"seconds": sessions.seconds_left(request)})
    return redirect(own_path(request.POST.get("next")) or "inbox")
