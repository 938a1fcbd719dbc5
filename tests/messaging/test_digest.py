from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from messaging import digests
from messaging.recall import recall_message
from portal import outbox
from portal.models import OutgoingMail

from .conftest import BODY, SUBJECT


@pytest.fixture
def recipient(recipient):
    recipient.notify = "hourly"
    recipient.save()
    return recipient


def end_the_period():
    OutgoingMail.objects.filter(kind="digest").update(due_at=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due()


def test_many_messages_bring_one_mail(sender, colleague, recipient, second_recipient, send, smtp):
    for _ in range(3):
        send(sender, to=f"{recipient.address}, {second_recipient.address}")
    outbox.deliver_due()
    assert [mail.rcpt for mail in smtp.messages] == [[second_recipient.address]] * 3
    end_the_period()
    (digest,) = [mail for mail in smtp.messages if mail.rcpt == [recipient.address]]
    text = digest.get_body(("plain",)).get_content()
    assert "3 secure messages are waiting" in text
    assert text.count("sender@north.example") == 3
    for part in ("plain", "html"):
        content = digest.get_body((part,)).get_content()
        assert content.count("http://") == 1
        assert SUBJECT not in content
        assert BODY not in content


def test_every_sender_sees_the_recipient_notified(sender, recipient, send, smtp):
    messages = [send(sender, to=recipient.address) for _ in range(2)]
    end_the_period()
    assert {message.recipients.get().notification.state for message in messages} == {"sent"}
    assert OutgoingMail.objects.count() == 1


def test_what_was_recalled_or_read_is_not_announced(sender, recipient, send, log_in, smtp):
    kept, recalled, read = (send(sender, to=recipient.address) for _ in range(3))
    recall_message(actor=sender, message=recalled)
    log_in(recipient).get(f"/messages/{read.entries.get(owner=recipient).id}/")
    end_the_period()
    assert "1 secure message is waiting" in smtp.messages[0].get_body(("plain",)).get_content()


def test_with_nothing_left_none_leaves(sender, recipient, send, smtp):
    recall_message(actor=sender, message=send(sender, to=recipient.address))
    end_the_period()
    assert smtp.messages == []
    assert OutgoingMail.objects.get().state == "cancelled"


def test_a_failed_digest_is_told_to_each_sender(sender, colleague, recipient, send):
    send(sender, to=recipient.address)
    colleague.is_licensed = True
    colleague.save()
    send(colleague, to=recipient.address)
    outbox._settle(OutgoingMail.objects.get(), outbox._Verdict(OutgoingMail.State.FAILED, "550 No"))
    told = OutgoingMail.objects.filter(kind="notification_failed").values_list("to_address", flat=True)
    assert set(told) == {sender.address, colleague.address}


@pytest.mark.parametrize(
    ("notify", "moment", "leaves"),
    [
        ("hourly", (9, 15), (10, 0)),
        ("hourly", (9, 58), (10, 0)),
        ("hourly", (9, 59), (11, 0)),
        ("daily", (6, 58), (7, 0)),
        ("daily", (7, 30), (31, 0)),
    ],
)
def test_when_a_period_ends(notify, moment, leaves, recipient):
    recipient.notify = notify
    day = datetime(2001, 2, 3, tzinfo=UTC)
    ends = digests.end_of_period(recipient, day + timedelta(hours=moment[0], minutes=moment[1]))
    assert ends == day + timedelta(hours=leaves[0], minutes=leaves[1])


def test_a_day_is_the_readers(recipient):
    recipient.notify, recipient.time_zone = "daily", "Europe/Athens"
    ends = digests.end_of_period(recipient, datetime(2001, 7, 3, 12, tzinfo=UTC))
    assert ends == datetime(2001, 7, 4, 4, tzinfo=UTC)
