from datetime import timedelta
from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging import expiry
from messaging.models import Message
from messaging.recall import recall_message
from portal.models import AuditEvent, OutgoingMail

from .conftest import SUBJECT, copy_of
from .test_races import at_once


@pytest.fixture
def sent(sender, recipient, send):
    return send(sender, to=recipient.address)


@pytest.fixture
def address(sent, sender):
    return reverse("extend", args=[copy_of(sent, sender).id])


def in_days(days: float) -> str:
    return (timezone.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M")


def test_it_extends_once_and_the_notification_lasts_as_long(address, sent, sender, log_in):
    client = log_in(sender)
    assert "Extend Expiry" in client.get(reverse("message", args=[copy_of(sent, sender).id])).text
    page = client.post(address, {"until": in_days(60)}, follow=True)
    assert "The expiry is extended." in page.text
    message = Message.objects.get()
    assert message.expires_at > timezone.now() + timedelta(days=59)
    assert OutgoingMail.objects.get().not_after == message.expires_at
    assert AuditEvent.objects.filter(action="message.expiry_extended", about=message.id).count() == 1
    assert "Extend Expiry" not in page.text
    again = client.post(address, {"until": in_days(90)})
    assert again.status_code == 422
    assert "as often as the definition allows" in again.text


@pytest.mark.parametrize(
    ("until", "said"),
    [
        (in_days(400), "kept until"),
        (in_days(1), "later than the present expiry"),
        ("", "required"),
        ("x", "valid date"),
        ("9999-12-31T23:59", "in the years 2000 to 9998"),
        ("0001-01-01T00:00", "in the years 2000 to 9998"),
    ],
    # By name: parallel workers must agree on it, a minute later too.
    ids=["too late", "too early", "empty", "nonsense", "end of time", "beginning of time"],
)
def test_what_cannot_be_is_said(until, said, address, sent, sender, log_in):
    page = log_in(sender).post(address, {"until": until})
    assert page.status_code == 422
    assert said in page.text
    assert Message.objects.get().extensions_used == 0


@pytest.mark.parametrize(
    ("zone", "until"), [("America/New_York", "9999-12-31T23:59"), ("Europe/Zurich", "0001-01-01T00:00")]
)
def test_what_no_clock_shows_is_said_in_every_zone(zone, until, organization, address, sender, log_in):
    organization.time_zone = zone
    organization.save()
    page = log_in(sender).post(address, {"until": until})
    assert page.status_code == 422
    assert "in the years 2000 to 9998" in page.text


def test_not_after_it_has_passed(address, sent, sender, log_in):
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    page = log_in(sender).post(address, {"until": in_days(60)})
    assert "expired already" in page.text
    assert Message.objects.get().is_expired(timezone.now())


def test_not_where_the_definition_forbids_it(address, sent, sender, log_in):
    Message.objects.update(extensions=0)
    client = log_in(sender)
    assert "cannot be extended" in client.get(address).text
    assert client.post(address, {"until": in_days(60)}).status_code == 422


def test_not_after_a_recall(address, sent, sender, log_in):
    recall_message(actor=sender, message=sent)
    assert "has been recalled" in log_in(sender).post(address, {"until": in_days(60)}).text


def test_expire_now_ends_it_at_once(sent, sender, recipient, log_in):
    client = log_in(sender)
    asked = client.get(reverse("expire", args=[copy_of(sent, sender).id]))
    assert "This cannot be undone" in asked.text
    assert log_in(recipient).get(reverse("message", args=[copy_of(sent, recipient).id])).status_code == 200
    for _press in range(2):
        page = client.post(reverse("expire", args=[copy_of(sent, sender).id]), follow=True)
        assert "Expired. No recipient can open the message any more." in page.text
        assert "already" not in page.text
    assert log_in(recipient).get(reverse("message", args=[copy_of(sent, recipient).id])).status_code == 410
    assert SUBJECT not in log_in(recipient).get("/inbox/").text
    assert AuditEvent.objects.filter(action="message.expired_by_sender").count() == 1


@pytest.mark.parametrize("is_recalled", [True, False])
def test_what_has_ended_is_not_ended_again(is_recalled, sent, sender, log_in):
    client, entry = log_in(sender), copy_of(sent, sender)
    if is_recalled:
        recall_message(actor=sender, message=sent)
    else:
        expiry.expire_now(actor=sender, message=sent)
    assert client.get(reverse("expire", args=[entry.id]))["Location"] == reverse("message", args=[entry.id])


def test_what_was_recalled_does_not_expire(sent, sender, log_in):
    recall_message(actor=sender, message=sent)
    page = log_in(sender).post(reverse("expire", args=[copy_of(sent, sender).id]), follow=True)
    assert "Recalled" in page.text
    assert not list(page.context["messages"])
    assert not Message.objects.get().is_expired(timezone.now())


@pytest.mark.django_db(transaction=True)
def test_of_two_that_extend_at_once_one_wins(sent, sender):
    untils = [timezone.now() + timedelta(days=days) for days in (40, 50, 60, 70)]
    results = at_once(*[partial(expiry.extend_expiry, actor=sender, message=sent, until=until) for until in untils])
    assert sum(result is None for result in results) == 1
    assert Message.objects.get().extensions_used == 1
