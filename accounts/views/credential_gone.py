from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from portal.models import Organization

from .. import link_cookie


def credential_gone(request: HttpRequest, organization: Organization) -> HttpResponse:
    """The temporary password or link has been used, replaced, or has run out: says so, and where a new one is."""
    page = render(request, "accounts/credential_gone.html", {"organization": organization}, status=410)
    link_cookie.clear(page, organization)
    return page
