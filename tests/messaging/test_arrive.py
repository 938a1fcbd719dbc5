"""Where a notification's link leads."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from messaging.recall import recall_message
from portal.ids import uuid7

from .conftest import SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, send):
    return send(sender, to=recipient.address)


@pytest.fixture
def link(sent, recipient):
    return reverse("log_in_to_message", args=["north", copy_of(sent, recipient).id])


def test_it_opens_that_very_message(link, sent, recipient, log_in):
    response = log_in(recipient).get(link, follow=True)
    assert response.redirect_chain[-1][0] == reverse("message", args=[copy_of(sent, recipient).id])
    assert SUBJECT in response.text


def test_before_logging_in_nothing_is_told(link, client):
    unknown = client.get(reverse("log_in_to_message", args=["north", uuid7()]))
    known = client.get(link)
    assert known.status_code == unknown.status_code == 200
    assert SUBJECT not in known.text


def test_a_recalled_message_is_told_after_logging_in(link, sent, sender, recipient, log_in):
    recall_message(actor=sender, message=sent)
    response = log_in(recipient).get(link, follow=True)
    assert response.status_code == 410
    assert "recalled" in response.text
    assert SUBJECT not in response.text


def test_an_expired_message_is_told_after_logging_in(link, sent, recipient, log_in):
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = log_in(recipient).get(link, follow=True)
    assert response.status_code == 410
    assert "expired" in response.text


def test_somebody_else_is_told_nothing_and_offered_to_log_in_as_another(link, sent, sender, second_recipient, log_in):
    client = log_in(second_recipient)
    before = client.get(link, follow=True)
    recall_message(actor=sender, message=sent)
    after = client.get(link, follow=True)
    unknown = client.get(reverse("log_in_to_message", args=["north", uuid7()]), follow=True)
    assert before.status_code == after.status_code == unknown.status_code == 404
    assert "recalled" not in after.text
    assert "another person" in before.text
    assert link in before.text
