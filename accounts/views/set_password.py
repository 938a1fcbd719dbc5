from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from .. import password_rules, passwords
from .. import pending as pending_visits
from ..credentials import CredentialGone
from ..forms import SetPasswordForm
from ..pending import Pending
from .arrival import arrive


@login_not_required
@sensitive_post_parameters("new_password", "confirm_password")
@require_http_methods(["GET", "HEAD", "POST"])
def set_password(request: HttpRequest, organization: str) -> HttpResponse:
    """Where a temporary password leads, and the only place it opens. The POST uses it up and logs the person in."""
    pending = pending_visits.current(request)
    if pending is None or pending.user.organization.slug != organization:
        return redirect("log_in", organization)
    form = SetPasswordForm(request.POST if request.method == "POST" else None, pending=pending)
    if not form.is_valid():
        return _page(request, form, pending)
    try:
        passwords.replace_temporary(
            user=pending.user, credential_id=pending.credential_id, password=form.cleaned_data["new_password"]
        )
    except CredentialGone:
        return _gone(request, pending)
    return arrive(request, pending.user, pending.destination)


def _page(request: HttpRequest, form: SetPasswordForm, pending: Pending) -> HttpResponse:
    context = {
        "organization": pending.user.organization,
        "form": form,
        "criteria": form.criteria(),
        "min_length": password_rules.MIN_LENGTH,
        "personal_words": password_rules.personal_words(pending.user),
    }
    return render(request, "accounts/set_password.html", context)


def _gone(request: HttpRequest, pending: Pending) -> HttpResponse:
    request.session.flush()
    context = {
        "organization": pending.user.organization,
        "title": _("This temporary password no longer works"),
        "explanation": _(
            "It has been used or replaced, or its time has run out. If you have set a password already, log in with "
            "it. If not, the next notification brings a new temporary password."
        ),
    }
    return render(request, "portal/error.html", context, status=410)
