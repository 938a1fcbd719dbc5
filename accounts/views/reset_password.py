from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from portal.closing import open_portal
from portal.models import Organization

from .. import credentials, link_cookie, mail_requests, throttling
from ..forms import AddressForm
from ..http import visit_of
from ..models import MailRequest
from .credential_gone import credential_gone

RETRY_AFTER = 60  # seconds


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def reset_password(request: HttpRequest, organization: str) -> HttpResponse:
    """Forgot your password? The answer is the same for an address nobody knows."""
    portal = open_portal(organization)
    if portal.reset_mode == Organization.Reset.BY_TELEPHONE:
        # Before any address is looked at, so that it is the same for each.
        return render(request, "accounts/reset_by_telephone.html", {"organization": portal})
    form = AddressForm(request.POST if request.method == "POST" else None)
    context = {"organization": portal, "form": form}
    if not form.is_valid():
        return render(request, "accounts/reset_password.html", context)
    return ask_for_mail(request, MailRequest.Kind.RESET, form, portal) or redirect("reset_sent", portal.slug)


def ask_for_mail(
    request: HttpRequest, kind: MailRequest.Kind, form: AddressForm, portal: Organization | None
) -> HttpResponse | None:
    """Write the request down; a page if there are too many of them."""
    try:
        mail_requests.ask(kind, form.cleaned_data["address"], organization=portal, visit=visit_of(request))
    except throttling.TooManyFromNetwork:
        form.add_error(None, _("Too many attempts from your network. Please wait a minute and try again."))
        template = "accounts/reset_password.html" if portal else "accounts/send_link.html"
        page = render(request, template, {"organization": portal, "form": form}, status=429)
        page.headers["Retry-After"] = str(RETRY_AFTER)
        return page
    return None


@login_not_required
@require_safe
def reset_sent(request: HttpRequest, organization: str) -> HttpResponse:
    portal = open_portal(organization)
    return render(request, "accounts/reset_sent.html", {"organization": portal})


@login_not_required
@require_safe
def reset_link(request: HttpRequest, organization: str, token: str) -> HttpResponse:
    """A mailed link. Opening it, by whomever or whatever, changes nothing: the token leaves the address for a cookie,
    and the page that follows asks for what no link contains."""
    portal = open_portal(organization)
    credential = credentials.by_link(token)
    if credential is None or credential.user.organization_id != portal.pk:
        return credential_gone(request, portal)
    response = redirect("set_password", portal.slug)
    link_cookie.put(response, portal, credential)
    return response
