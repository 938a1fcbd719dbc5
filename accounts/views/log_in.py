import uuid

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from portal.closing import open_portal
from portal.models import Organization

from .. import link_cookie, pending, throttling
from .. import log_in as logging_in
from ..forms import AddressForm, PasswordForm
from ..http import own_path, visit_of
from ..known_browsers import token_of
from ..models import User
from .arrival import arrive

RETRY_AFTER = 60  # seconds


@login_not_required
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest, organization: str, entry: uuid.UUID | None = None) -> HttpResponse:
    """Email address, then password, on one URL. Who is refused learns neither why nor whether the address is known."""
    portal = open_portal(organization)
    destination = _destination(request, entry)
    if request.user.is_authenticated:
        return _already_inside(request, portal, destination)
    if request.method != "POST":
        return _page(request, portal, AddressForm())
    if "password" not in request.POST:
        return _ask_for_password(request, portal)
    form = PasswordForm(request.POST)
    if not form.is_valid():
        return _page(request, portal, AddressForm(request.POST) if "address" in form.errors else form)
    return _try(request, portal, form, destination)


def _destination(request: HttpRequest, entry: uuid.UUID | None) -> str:
    """The message of the link, the page that asked for the log-in, or the inbox."""
    if entry:
        return reverse("arrive", args=[entry])
    return own_path(request.GET.get("next")) or reverse("inbox")


def _already_inside(request: HttpRequest, portal: Organization, destination: str) -> HttpResponse:
    if request.user.organization_id == portal.pk:  # type: ignore[union-attr]
        return redirect(destination)
    return render(request, "accounts/logged_in_as.html", {"organization": portal, "next": request.get_full_path()})


def _ask_for_password(request: HttpRequest, portal: Organization) -> HttpResponse:
    form = AddressForm(request.POST)
    if form.is_valid():
        return _page(request, portal, PasswordForm(initial=form.cleaned_data))
    return _page(request, portal, form)


def _try(request: HttpRequest, portal: Organization, form: PasswordForm, destination: str) -> HttpResponse:
    visit = visit_of(request, browser_token=token_of(request))
    try:
        outcome = logging_in.log_in(portal, **form.cleaned_data, visit=visit)
    except throttling.TooManyFromNetwork:
        return _too_many(request, portal, form)
    if outcome.expired:
        context = {"organization": portal, "address": form.cleaned_data["address"], "reason": outcome.expired.label}
        return render(request, "accounts/password_expired.html", context)
    if outcome.user is None:
        form.add_error(
            None, _("Invalid username, password or permissions. Please check you are using the correct URL.")
        )
        return _page(request, portal, form, reference=outcome.reference)
    return _let_in(request, portal, outcome, outcome.user, destination)


def _too_many(request: HttpRequest, portal: Organization, form: PasswordForm) -> HttpResponse:
    form.add_error(None, _("Too many attempts from your network. Please wait a minute and try again."))
    page = _page(request, portal, form, status=429)
    page.headers["Retry-After"] = str(RETRY_AFTER)
    return page


def _let_in(
    request: HttpRequest, portal: Organization, outcome: logging_in.Outcome, user: User, destination: str
) -> HttpResponse:
    """To where they wanted to go, or first to what a temporary password or a second factor asks for."""
    if outcome.cause == logging_in.Cause.TEMPORARY:
        pending.begin(request, pending.Pending(user, outcome.credential_id, destination))
        response = redirect("set_password", portal.slug)
        link_cookie.clear(response, portal)
        return response
    if outcome.cause == logging_in.Cause.SECOND_FACTOR:
        pending.begin(request, pending.Pending(user, None, destination, purpose=pending.INSIDE))
        return redirect("second_factor", portal.slug)
    return arrive(request, user, destination)


def _page(
    request: HttpRequest, portal: Organization, form: AddressForm, reference: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "organization": portal,
        "form": form,
        "step": "password" if isinstance(form, PasswordForm) else "address",
        "reference": reference,
    }
    return render(request, "accounts/log_in.html", context, status=status)
