import re
from datetime import datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from portal import moments
from portal.closing import open_portal
from portal.models import Organization

from .. import browsers
from ..http import browser_name
from ..models import LogInAttempt


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def help_page(request: HttpRequest, organization: str) -> HttpResponse:
    """What support needs, ready to copy, and the questions people ask. A failed log-in posts its address and code."""
    portal = open_portal(organization)
    address, reference = _given(request, "address"), _given(request, "reference")
    agent = browser_name(request)
    context = {
        "organization": portal,
        "address": address,
        "reference": reference,
        "at": _time_of(portal, address, reference),
        "url": settings.BASE_URL + portal.get_absolute_url(),
        "agent": agent,
        "browser": browsers.in_words(agent),
        "is_supported": browsers.is_supported(agent),
        "supported": sorted(browsers.SUPPORTED.items()),
    }
    return render(request, "accounts/help_page.html", context)


def _given(request: HttpRequest, name: str) -> str:
    """One line, without control characters."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", request.POST.get(name, ""))[:320].strip()


def _time_of(portal: Organization, address: str, reference: str) -> datetime:
    """When the attempt was. Looked up for who knows its code and its address, which tells nothing new."""
    attempt = LogInAttempt.objects.filter(organization=portal, reference=reference, address=address).first()
    return attempt.at if attempt else moments.now()
