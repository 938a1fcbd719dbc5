from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.closing import open_portal
from portal.models import Organization

from .. import link_cookie, passwords, second_factor
from .. import pending as pending_visits
from ..credentials import CredentialGone
from ..forms import SetPasswordForm
from .arrival import arrive
from .credential_gone import credential_gone
from .criteria import beside


@login_not_required
@sensitive_post_parameters("new_password", "confirm_password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest, organization: str) -> HttpResponse:
    """Where a temporary password leads, and the only place it opens. The POST uses it up and logs the person in."""
    portal = open_portal(organization)
    pending = pending_visits.current(request, portal)
    if pending is None:
        return redirect("log_in", organization)
    if not pending_visits.is_open(pending):
        return _gone(request, portal)
    if pending.purpose != pending_visits.PASSWORD or not (
        pending.factor_shown or not second_factor.is_enrolled(pending.user)
    ):
        return redirect("second_factor", portal.slug)
    form = SetPasswordForm(request.POST if request.method == "POST" else None, pending=pending)
    if not form.is_valid():
        return render(request, "accounts/set_password.html", beside(form, pending.user))
    try:
        passwords.replace_temporary(
            user=pending.user, credential_id=pending.credential_id, password=form.cleaned_data["new_password"]
        )
    except CredentialGone:
        return _gone(request, portal)
    response = arrive(request, pending.user, pending.destination, factor_shown=pending.factor_shown)
    link_cookie.clear(response, portal)
    return response


def _gone(request: HttpRequest, portal: Organization) -> HttpResponse:
    if pending_visits.exists(request):
        request.session.flush()
    return credential_gone(request, portal)
