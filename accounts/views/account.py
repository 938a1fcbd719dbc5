from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from .. import preferences, reauthentication, sessions
from ..account_forms import PreferencesForm
from ..browsers import in_words
from ..http import AuthenticatedRequest


@require_http_methods(["GET", "HEAD", "POST"])
def account(request: AuthenticatedRequest) -> HttpResponse:
    """One's own account: preferences, and the ways to password, second factor and sessions."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        preferences.change(request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("account")
    open_sessions = [
        {"key": row.pk, "browser": in_words(row.browser), "row": row, "is_current": sessions.is_current(request, row)}
        for row in sessions.open_sessions(request.user)
    ]
    return render(request, "accounts/account.html", {"form": form, "sessions": open_sessions})


@require_POST
@reauthentication.recently_confirmed("account")
def end_session(request: AuthenticatedRequest) -> HttpResponse:
    """One of one's own sessions by its key, or, without one, all the others."""
    if "session" not in request.POST:
        sessions.end_others(request, request.user)
        messages.success(request, _("You are logged out everywhere else."))
    elif sessions.end_one(user=request.user, key=request.POST["session"][:40]):
        messages.success(request, _("That session has ended."))
    else:
        raise Http404
    return redirect("account")
