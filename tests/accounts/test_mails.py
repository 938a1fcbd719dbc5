"""What arrives, through a real SMTP server."""

import re
import uuid
from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from accounts import credentials, directories, passwords, second_factor, sessions, throttling
from accounts.models import Credential, User
from portal import delivery, moments, outbox
from portal.models import Organization, OutgoingMail

pytestmark = pytest.mark.django_db(transaction=True)


def parts(message) -> tuple[str, str]:
    """The text part and the HTML part."""
    assert message.get_content_type() == "multipart/alternative"
    return tuple(part.get_content() for part in message.iter_parts())


def enqueue_password_notification(user: User) -> uuid.UUID:
    """Returns the credential's id."""
    with transaction.atomic():
        mails = credentials.first_visit_mails([user], due_at=moments.now())
        outbox.enqueue(mails)
    return mails[0].about


def send_password_notification(user: User) -> str:
    credential_id = enqueue_password_notification(user)
    delivery.deliver_due()
    return credentials.temporary_password(credential_id)


def test_the_temporary_password_comes_in_a_mail_of_its_own(newcomer, organization, smtp):
    Organization.objects.filter(pk=organization.pk).update(reply_to="help@north.example", time_zone="Europe/Berlin")
    password = send_password_notification(newcomer)
    until = Credential.objects.get().expires_at.astimezone(ZoneInfo("Europe/Berlin"))
    [message] = smtp.messages
    assert message.rcpt == [newcomer.address]
    assert message["Subject"] == "North Clinic: Secure Messaging Password Notification"
    assert message["Reply-To"] == "help@north.example"
    assert message["Auto-Submitted"] == "auto-generated"
    for text in parts(message):
        assert password in text
        assert newcomer.address in text
        assert "http://127.0.0.1:8000/p/north/" in text
        assert f"{until.day} {until:%B %Y, %H:%M} (Europe/Berlin)" in text
    assert password not in message["Subject"]


def test_it_loads_nothing_and_runs_nothing(newcomer, smtp):
    send_password_notification(newcomer)
    _text, html = parts(smtp.messages[0])
    assert not re.search(r"<(img|script|link|iframe|object)|url\(|\bsrc=", html)
    assert set(re.findall(r'href="([^"]+)"', html)) == {"http://127.0.0.1:8000/p/north/"}


def test_no_reply_to_where_the_organisation_names_none(newcomer, smtp):
    send_password_notification(newcomer)
    assert smtp.messages[0]["Reply-To"] is None


def test_names_cannot_add_headers_or_markup(newcomer, organization, smtp):
    Organization.objects.filter(pk=organization.pk).update(name="North\r\nBcc: x@evil.example <b>Clinic</b>")
    send_password_notification(newcomer)
    message = smtp.messages[0]
    assert message["Bcc"] is None
    assert message["Subject"].startswith("North Bcc: x@evil.example <b>Clinic</b>: ")
    text, html = parts(message)
    assert "<b>Clinic</b>" in text and "<b>" not in html


@pytest.mark.parametrize("spoiled", ["used", "withdrawn", "run out", "not allowed", "disabled", "told by telephone"])
def test_it_does_not_leave_once_it_is_worthless(newcomer, smtp, spoiled):
    now = moments.now()
    enqueue_password_notification(newcomer)
    changes = {
        "used": {"used_at": now},
        "withdrawn": {"withdrawn_at": now},
        "run out": {"expires_at": now},
    }
    if spoiled == "told by telephone":
        Organization.objects.update(first_visit_mode="by_telephone")
    elif spoiled in changes:
        Credential.objects.update(**changes[spoiled])
    else:
        User.objects.update(**({"allow_logon": False} if spoiled == "not allowed" else {"disabled_at": now}))
    delivery.deliver_due()
    assert smtp.messages == []
    assert OutgoingMail.objects.get().state == OutgoingMail.State.CANCELLED


def test_a_second_try_brings_the_same_password(newcomer, smtp):
    password = send_password_notification(newcomer)
    OutgoingMail.objects.update(state="due", finished_at=None, due_at=moments.now() - timedelta(seconds=1))
    delivery.deliver_due()
    first, second = smtp.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert password in parts(first)[0] and password in parts(second)[0]


def test_a_password_set_by_an_administrator_is_told_without_it(recipient, administrator, smtp):
    passwords.set_temporary_password(actor=administrator, user=recipient, password="told on the telephone")
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: An administrator has set a password for you"
    for text in parts(message):
        assert "told on the telephone" not in text
        assert recipient.address in text and "If you did not ask for this" in text


def test_a_password_that_was_set_is_told_without_it(newcomer, smtp):
    with transaction.atomic():
        [mail] = credentials.first_visit_mails([newcomer], due_at=moments.now())
    new = "seven quiet lanterns over water"
    passwords.replace_temporary(user=newcomer, credential_id=mail.about, password=new)
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: Your password has been set"
    for text in parts(message):
        assert new not in text and credentials.temporary_password(mail.about) not in text
        assert "If it was not you" in text


DONE = {
    "failed log-ins was taken away": throttling.clear_lock,
    "log in again": sessions.end_all,
    "account was closed": directories.disable,
    "may not log in": partial(directories.allow_logon, allowed=False),
}


@pytest.mark.parametrize("words", DONE)
def test_what_an_administrator_did_is_told(recipient, administrator, smtp, words):
    recipient.failures = 100
    recipient.save()
    DONE[words](actor=administrator, user=recipient)
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: An administrator has changed your account"
    for text in parts(message):
        assert words in " ".join(text.split()) and recipient.address in text and "If you do not know why" in text


def test_what_was_taken_back_is_told_too(recipient, administrator, smtp):
    second_factor.order_removal(actor=administrator, user=recipient)
    second_factor.cancel_removal(actor=administrator, user=recipient)
    directories.disable(actor=administrator, user=recipient)
    directories.enable(actor=administrator, user=recipient)
    directories.allow_logon(actor=administrator, user=recipient, allowed=False)
    directories.allow_logon(actor=administrator, user=recipient, allowed=True)
    delivery.deliver_due()
    told = [" ".join(parts(message)[0].split()) for message in smtp.messages]
    assert len(told) == 5  # the mail about the removal is worth nothing any more
    for words in ("it stays as it is", "was closed", "was opened again", "may not log in", "may log in again"):
        assert sum(words in text for text in told) == 1


def test_nobody_who_has_never_been_here_is_puzzled(newcomer, administrator):
    directories.disable(actor=administrator, user=newcomer)
    sessions.end_all(actor=administrator, user=administrator)
    assert not OutgoingMail.objects.exists()
