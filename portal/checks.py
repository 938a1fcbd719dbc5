"""Wrong configuration, said before it hurts: run by `manage.py check` and before every other command."""

from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core import checks

from . import keyring

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@checks.register(checks.Tags.security)
def master_keys_can_be_read(**_: Any) -> list[checks.CheckMessage]:
    try:
        keyring.master_keys()
    except keyring.MasterKeysMissing as error:
        return [checks.Error(str(error), id="portal.E001")]
    return []


@checks.register()
def mail_has_a_sender(**_: Any) -> list[checks.CheckMessage]:
    name, domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[::2]
    if name and "." in domain and settings.DEFAULT_FROM_EMAIL.isascii():
        return []
    hint = "Such as: Secure Messaging <no-reply@portal.example.org>"
    return [
        checks.Error(
            f"MAIL_FROM is no address mail can come from: {settings.DEFAULT_FROM_EMAIL}", hint, id="portal.E002"
        )
    ]


@checks.register(checks.Tags.security)
def the_relay_is_reached_under_tls(**_: Any) -> list[checks.CheckMessage]:
    if settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL or settings.EMAIL_HOST in LOOPBACK:
        return []
    hint = "Use smtp+tls:// (STARTTLS) or smtp+ssl:// in SMTP_URL: notifications carry temporary passwords."
    return [checks.Warning(f"Mail goes to {settings.EMAIL_HOST} in the clear.", hint, id="portal.W001")]


@checks.register(checks.Tags.security)
def somebody_says_that_requests_came_over_tls(**_: Any) -> list[checks.CheckMessage]:
    if not settings.SERVED_OVER_TLS or settings.TRUSTED_PROXIES:
        return []
    hint = (
        "Set TRUSTED_PROXIES to the number of your own proxies in front of the portal. Leave it at 0 only where "
        "gunicorn itself serves TLS; otherwise every request is sent from https:// to https:// for ever."
    )
    return [checks.Warning("BASE_URL is https://, but no proxy is believed to say so.", hint, id="portal.W002")]
