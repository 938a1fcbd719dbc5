"""What a request says about its sender, and how much of it is believed."""

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from .models import User
from .visit import Visit

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class AuthenticatedRequest(HttpRequest):
    """A request behind the log-in: its user is a person, with organisation and domain loaded."""

    user: User


def client_address(request: HttpRequest) -> str | None:
    """The visitor's IP address, or None if the server in front tells none.

    Each trusted proxy appends the address it was called from to X-Forwarded-For, so with n of them the n-th entry
    from the right is the first that no visitor can write. Without trusted proxies the header is not read.
    """
    hops = settings.TRUSTED_PROXIES
    forwarded = request.headers.get("X-Forwarded-For")
    entries = forwarded.split(",") if hops and forwarded else []
    text = entries[-hops] if len(entries) >= hops > 0 else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def browser_name(request: HttpRequest) -> str:
    """What the browser calls itself: at most 300 characters, no control characters."""
    return _CONTROLS.sub("", request.headers.get("User-Agent", ""))[:300]


def visit_of(request: HttpRequest, browser_token: str = "") -> Visit:
    return Visit(
        url=request.build_absolute_uri(request.path),
        browser=browser_name(request),
        network=client_address(request),
        browser_token=browser_token,
    )


def own_path(text: str | None) -> str | None:
    """The text if it is a path of this portal that may be redirected to, else None."""
    # What starts with two slashes or a backslash is a host to a browser, even if none follows.
    is_path = text is not None and re.match(r"/(?![/\\])", text) is not None
    if is_path and url_has_allowed_host_and_scheme(text, allowed_hosts=None):
        return text
    return None
