from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from .. import sessions
from ..http import own_path
from ..middleware import log_in_url


@login_not_required
@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End this session; what the browser kept of it goes too. The known-browser cookie stays."""
    destination = own_path(request.POST.get("next")) or log_in_url(request)
    sessions.end(request)
    response = redirect(destination)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
