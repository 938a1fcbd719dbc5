from dataclasses import replace

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.closing import open_portal
from portal.models import Organization

from .. import known_browsers, link_cookie, passkeys
from .. import log_in as logging_in
from .. import pending as pending_visits
from .. import second_factor as factors
from ..account_forms import CodeForm
from ..http import browser_name
from ..models import User
from ..pending import Pending
from .arrival import arrive
from .credential_gone import credential_gone


@login_not_required
@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
def second_factor(request: HttpRequest, organization: str) -> HttpResponse:
    """After the password, and before a forgotten one is set anew: the code of the app, a passkey or a recovery code."""
    portal = open_portal(organization)
    pending = pending_visits.current(request, portal)
    if pending is None:
        return redirect("log_in", organization)
    if not pending_visits.is_open(pending):
        return credential_gone(request, portal)
    form = CodeForm(request.POST if request.method == "POST" else None)
    if pending.factor_shown or (form.is_valid() and is_shown(request, pending.user, form)):
        return _go_on(request, pending, portal)
    context = {"organization": portal, "form": form, "passkey": passkeys.request_options(request, pending.user)}
    return render(request, "accounts/second_factor.html", context)


def is_shown(request: HttpRequest, user: User, form: CodeForm) -> bool:
    """Whether what was given is the person's second factor; if not, the form says so."""
    code, answer = form.cleaned_data["code"], form.cleaned_data["passkey"]
    right = passkeys.is_answered(request, user, answer) if answer else factors.verify_code(user, code)
    if not right:
        form.add_error(
            "code", _("That code is not right, has been used, or there were too many tries. Wait for the next one.")
        )
    return right


def _go_on(request: HttpRequest, pending: Pending, portal: Organization) -> HttpResponse:
    if pending.purpose == pending_visits.PASSWORD:
        pending_visits.begin(request, replace(pending, factor_shown=True))
        response = redirect("set_password", portal.slug)
        link_cookie.clear(response, portal)
        return response
    is_known = known_browsers.known(pending.user, known_browsers.token_of(request)).exists()
    with transaction.atomic():
        logging_in.let_in(pending.user, browser="" if is_known else browser_name(request))
    return arrive(request, pending.user, pending.destination, factor_shown=True)
