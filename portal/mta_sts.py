"""MTA-STS (RFC 8461): a domain publishes, over HTTPS, that its mail servers do TLS and what they are called.

A policy is kept in the database for as long as it says. The DNS tells by an id when there is a new one; it is asked
every ten minutes at most, so that a domain without a policy costs one look-up now and then.
"""

import http.client
import re
import socket
import ssl
from datetime import datetime, timedelta

from django.conf import settings

from . import mail_hosts, mail_networks, moments
from .models import MtaStsPolicy

CHECK_EVERY = timedelta(minutes=10)
FETCH_SECONDS = 5
MOST_BYTES = 64 * 1024
LONGEST_AGE = timedelta(days=365)
_MODES = ("enforce", "testing", "none")


class NoPolicy(Exception):
    """What was fetched is no policy, or could not be fetched."""


def policy_for(domain: str) -> MtaStsPolicy | None:
    """The domain's policy as it stands; None: it has none, or nobody could be asked and none is kept."""
    now = moments.now()
    kept = MtaStsPolicy.objects.filter(domain=domain).first()
    if kept is None or kept.checked_at + CHECK_EVERY <= now:
        kept = _checked(domain, kept, now)
    return kept if kept.mode and kept.expires_at > now else None


def allows(policy: MtaStsPolicy, host: str) -> bool:
    """Whether the policy names this mail server; a pattern's star stands for one label (section 4.1)."""
    host = host.lower()
    return any(
        host.partition(".")[2] == pattern[2:] if pattern.startswith("*.") else host == pattern
        for pattern in policy.mx.split("\n")
    )


def _checked(domain: str, kept: MtaStsPolicy | None, now: datetime) -> MtaStsPolicy:
    row = kept or MtaStsPolicy(domain=domain, expires_at=now)
    row.checked_at = now
    found = _published_id(domain)
    if found and (found != row.policy_id or row.expires_at <= now):
        try:
            row.mode, row.mx, max_age = _parsed(_fetch(domain))
        except NoPolicy:
            pass  # the kept one holds until it expires (section 3.3)
        else:
            row.policy_id, row.expires_at = found, now + max_age
    row.save()
    return row


def _published_id(domain: str) -> str:
    """Section 3.1: exactly one record that begins so; empty: no policy is announced, or the DNS is silent."""
    try:
        found = [text for text in mail_hosts.texts(f"_mta-sts.{domain}") if text.startswith("v=STSv1;")]
    except mail_hosts.DnsSilent:
        return ""
    match = re.search(r";\s*id=([A-Za-z0-9]{1,32})\s*(;|$)", found[0]) if len(found) == 1 else None
    return match[1] if match else ""


def _fetch(domain: str) -> str:
    """The policy's text, from a server whose certificate proves its name. No redirect is followed (section 3.3)."""
    host = f"mta-sts.{domain}"
    try:
        address = next(iter(mail_networks.allowed(mail_hosts.addresses(host))))
        with (
            socket.create_connection((address, settings.MTA_STS_PORT), timeout=FETCH_SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as encrypted,
        ):
            encrypted.settimeout(FETCH_SECONDS)
            return _get(encrypted, host)
    except (OSError, ValueError, http.client.HTTPException, mail_hosts.DnsSilent, StopIteration) as error:
        raise NoPolicy(str(error)) from error


def _get(encrypted: ssl.SSLSocket, host: str) -> str:
    connection = http.client.HTTPConnection(host)
    connection.sock = encrypted
    connection.request("GET", "/.well-known/mta-sts.txt", headers={"Connection": "close"})
    answer = connection.getresponse()
    if answer.status != 200 or answer.headers.get_content_type() != "text/plain":
        raise NoPolicy(f"{answer.status} {answer.headers.get_content_type()}")
    text = answer.read(MOST_BYTES + 1)
    if len(text) > MOST_BYTES:
        raise NoPolicy("too long")
    return text.decode("ascii")


def _parsed(text: str) -> tuple[str, str, timedelta]:
    """mode, patterns one a line, how long it holds. Section 3.2."""
    pairs = [(name.strip(), value.strip()) for name, _colon, value in map(_split, text.splitlines())]
    first = dict(reversed(pairs))
    mx = [value.lower().rstrip(".") for name, value in pairs if name == "mx"]
    max_age = first.get("max_age", "")
    known = first.get("version") == "STSv1" and first.get("mode") in _MODES and re.fullmatch(r"\d{1,10}", max_age)
    if not known or not (mx or first["mode"] == "none"):
        raise NoPolicy("not a policy")
    return first["mode"], "\n".join(mx), min(timedelta(seconds=int(max_age)), LONGEST_AGE)


def _split(line: str) -> tuple[str, str, str]:
    return line.partition(":")
