"""What a person is told without having asked: a log-in from a new browser, an account that is locked."""

from datetime import timedelta

from django.test import Client

from accounts import throttling
from accounts.models import User
from portal import delivery, moments
from portal.models import AuditEvent, OutgoingMail
from tests.conftest import PASSWORD

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101 Firefox/128.0"


def test_a_log_in_from_a_new_browser_is_told(recipient, try_log_in, smtp):
    User.objects.update(first_logged_in_at=moments.now() - timedelta(days=9))
    browser = Client(HTTP_USER_AGENT=FIREFOX)
    try_log_in(browser, recipient.address, PASSWORD)
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: A log-in from a new browser"
    text = message.get_body(("plain",)).get_content()
    assert "Firefox 128 on Windows" in text and "If it was not you" in text and PASSWORD not in text
    browser.post("/log-out/")
    try_log_in(browser, recipient.address, PASSWORD)
    assert OutgoingMail.objects.count() == 1


def test_the_very_first_log_in_is_not(recipient, try_log_in):
    try_log_in(Client(), recipient.address, PASSWORD)
    assert not OutgoingMail.objects.exists()


def test_a_locked_account_is_told_once(recipient, smtp):
    User.objects.filter(pk=recipient.pk).update(failures=99)
    assert throttling.tell_the_locked() == 0
    User.objects.filter(pk=recipient.pk).update(failures=100)
    assert throttling.tell_the_locked() == 1
    assert throttling.tell_the_locked() == 0
    delivery.deliver_due()
    [message] = smtp.messages
    assert message["Subject"] == "North Clinic: Your account is locked"
    assert AuditEvent.objects.filter(action="user.locked", about=recipient.pk).exists()


def test_a_second_lock_is_told_again(recipient, administrator):
    User.objects.filter(pk=recipient.pk).update(failures=100)
    throttling.tell_the_locked()
    throttling.clear_lock(actor=administrator, user=recipient)
    User.objects.filter(pk=recipient.pk).update(failures=100)
    assert throttling.tell_the_locked() == 1
