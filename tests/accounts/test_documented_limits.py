"""docs/logging-in.md says what the code does."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from accounts import (
    authenticator_apps,
    credentials,
    expired_passwords,
    keeping,
    kept_texts,
    link_cookie,
    mail_requests,
    passwords,
    reauthentication,
    second_factor,
    session_store,
    sessions,
    throttling,
)
from accounts.models import LogInAttempt, MailRequest
from accounts.models.session import ABSOLUTE_LIFETIME, CONSOLE_IDLE, CONSOLE_LIFETIME
from portal.models import Organization

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "logging-in.md"
UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "days": "days"}


def field(name: str):
    return Organization._meta.get_field(name).get_default()


# How each line of a table begins → what the code has.
LIMITS = {
    "wrong passwords for an account": throttling.FIRST_DELAYED_FAILURE,
    "first delay": throttling.FIRST_DELAY,
    "longest delay": throttling.LONGEST_DELAY,
    "wrong passwords in a row": throttling.MOST_FAILURES,
    "tries from one network": (throttling.NETWORK_ATTEMPTS, throttling.NETWORK_PERIOD),
    "reset mails to one account": (mail_requests.MOST_AN_HOUR, timedelta(hours=1)),
    "time between two mails": mail_requests.NOT_WITHIN,
    "wrong second factors": throttling.MOST_FAILURES,
    "temporary password of a first visit": timedelta(hours=field("first_visit_hours")),
    "temporary password from an administrator": credentials.ADMINISTRATOR_LIFETIME,
    "credential of a reset": credentials.RESET_LIFETIME,
    "a mailed link": timedelta(seconds=link_cookie.LIFETIME),
    "password of somebody": expired_passwords.DORMANT_AFTER,
    "without activity": session_store.LONGEST_IDLE,
    "overall": ABSOLUTE_LIFETIME,
    "administration console, without": CONSOLE_IDLE,
    "administration console, overall": CONSOLE_LIFETIME,
    "sessions of one person": sessions.MOST_AT_ONCE,
    "showing once more": reauthentication.LASTS,
    "what was being written": kept_texts.LIFETIME,
    "recovery codes": second_factor.RECOVERY_CODES,
    "a key offered": authenticator_apps.OFFER_LASTS,
    "delay before": second_factor.REMOVAL_DELAY,
    "tries to log in": keeping.KEPT[LogInAttempt],
    "requests for a mail": keeping.KEPT[MailRequest],
}


def told() -> dict[str, str]:
    """What the tables of two columns say."""
    lines = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return {name: value for name, value in lines if value != "value"}


def understood(text: str):
    """100, 1 h, or 30 in 1 min."""
    if " in " in text:
        count, period = text.split(" in ")
        return int(count), understood(period)
    number, _space, unit = text.partition(" ")
    return timedelta(**{UNITS[unit]: int(number)}) if unit else int(number)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_as_documented(name):
    [value] = [value for line, value in told().items() if line.startswith(name)]
    assert understood(value) == LIMITS[name]


def test_no_line_is_without_a_test():
    assert len(told()) == len(LIMITS)


def test_what_has_two_homes_agrees():
    assert passwords.TEMPORARY_LIFETIME == credentials.ADMINISTRATOR_LIFETIME
    assert timedelta(minutes=field("idle_minutes")) == session_store.LONGEST_IDLE
