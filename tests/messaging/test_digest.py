from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from messaging import digests
from messaging.models import MailboxEntry, Recipient
from messaging.recall import recall_message
from portal import delivery, ids, verdicts
from portal.models import OutgoingMail
from tests.smtp_server import ScriptedServer, running

from .conftest import BODY, SUBJECT


@pytest.fixture
def recipient(recipient):
    recipient.notify = "hourly"
    recipient.save()
    return recipient


def end_the_period():
    OutgoingMail.objects.filter(kind="digest").update(due_at=timezone.now() - timedelta(seconds=1))
    delivery.deliver_due()


def test_many_messages_bring_one_mail(sender, colleague, recipient, second_recipient, send, smtp):
    for _ in range(3):
        send(sender, to=f"{recipient.address}, {second_recipient.address}")
    delivery.deliver_due()
    assert [mail.rcpt for mail in smtp.messages] == [[second_recipient.address]] * 3
    end_the_period()
    (digest,) = [mail for mail in smtp.messages if mail.rcpt == [recipient.address]]
    text = digest.get_body(("plain",)).get_content()
    assert "3 secure messages" in text
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
    assert "1 secure message" in smtp.messages[0].get_body(("plain",)).get_content()


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
    verdicts.written_down(OutgoingMail.objects.get(), verdicts.Verdict(OutgoingMail.State.FAILED, "550 No"))
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
def test_when_a_period_ends(notify, moment, leaves):
    day = datetime(2001, 2, 3, tzinfo=UTC)
    ends = digests.end_of_period(notify, "UTC", day + timedelta(hours=moment[0], minutes=moment[1]))
    assert ends == day + timedelta(hours=leaves[0], minutes=leaves[1])


def test_a_day_is_the_readers():
    ends = digests.end_of_period("daily", "Europe/Athens", datetime(2001, 7, 3, 12, tzinfo=UTC))
    assert ends == datetime(2001, 7, 4, 4, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/London", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "day", [(2027, 3, 28), (2027, 10, 31), (2027, 3, 14), (2027, 11, 7), (2027, 4, 3), (2027, 10, 2)]
)
def test_an_hourly_digest_leaves_within_the_hour_when_clocks_change(day, zone):
    for minute in range(0, 24 * 60, 7):
        moment = datetime(*day, tzinfo=UTC) + timedelta(minutes=minute)
        waits = digests.end_of_period("hourly", zone, moment) - moment
        assert timedelta(minutes=1) <= waits <= timedelta(minutes=61), moment


def test_a_daily_digest_leaves_at_seven_when_clocks_change():
    before = datetime(2001, 3, 24, 12, tzinfo=UTC)  # Athens: seven is 5:00 in UTC until that night, and 4:00 after it
    assert digests.end_of_period("daily", "Europe/Athens", before) == datetime(2001, 3, 25, 4, tzinfo=UTC)


@pytest.fixture
def server(settings) -> Iterator[ScriptedServer]:
    with running() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.mark.django_db(transaction=True)
def test_what_is_recalled_while_it_is_being_written_is_not_in_it(sender, second_recipient, recipient, send, server):
    send(second_recipient, to=sender.address)
    send(sender, to=recipient.address)
    recalled = send(sender, to=recipient.address)

    def recall(_argument: str) -> None:
        server.script.pop("RCPT")
        with ThreadPoolExecutor(1) as other:
            other.submit(_in_its_own_connection, recall_message, actor=sender, message=recalled).result()

    OutgoingMail.objects.exclude(kind="digest").delete()
    server.script["RCPT"] = recall
    end_the_period()
    delivery.deliver_due()
    (digest,) = server.seen
    assert "1 secure message" in digest.message.get_body(("plain",)).get_content()


def _in_its_own_connection(call, **arguments) -> None:
    try:
        call(**arguments)
    finally:
        connection.close()


@pytest.mark.parametrize("view", ["recall", "recall_recipient"])
def test_one_that_is_leaving_is_counted_when_the_message_is_recalled(view, sender, recipient, send, log_in):
    message = send(sender, to=recipient.address)
    OutgoingMail.objects.filter(kind="digest").update(state="sending")
    entry = message.entries.get(owner=sender)
    only = [message.recipients.get().id] if view == "recall_recipient" else []
    client = log_in(sender)
    if view == "recall":
        assert client.get(reverse(view, args=[entry.id])).context["leaving"] == 1
    answer = client.post(reverse(view, args=[entry.id, *only]), follow=True)
    assert "1 notification was already on its way" in answer.text
    assert OutgoingMail.objects.get(kind="digest").state == "sending"


# --- As many as one may get within an hour ------------------------------------------------------------------------


def test_beyond_the_cap_the_rest_is_one_mail(sender, second_recipient, organization, send, smtp):
    organization.hourly_notifications = 2
    organization.save()
    for _ in range(5):
        send(sender, to=second_recipient.address)
    delivery.deliver_due()
    assert [mail["Subject"] for mail in smtp.messages] == ["North Clinic: Secure Messaging Notification"] * 2
    (digest,) = OutgoingMail.objects.filter(kind="digest")
    assert digest.due_at <= timezone.now() + timedelta(hours=1, minutes=1)
    end_the_period()
    text = smtp.messages[-1].get_body(("plain",)).get_content()
    assert "3 secure messages" in text
    assert "So many came within an hour" in text


def test_the_cap_is_each_persons_own_and_ends_with_the_hour(sender, second_recipient, organization, send, make_user):
    third = make_user(organization, "third@elsewhere.example")
    organization.hourly_notifications = 1
    organization.save()
    first = send(sender, to=second_recipient.address)
    send(sender, to=f"{second_recipient.address}, {third.address}")
    kinds = dict(OutgoingMail.objects.values_list("to_address", "kind").order_by("id"))
    assert kinds == {second_recipient.address: "digest", third.address: "notification"}
    aged = ids.first_of(timezone.now() - timedelta(hours=2))
    MailboxEntry.objects.filter(recipient__message=first).update(recipient=None)
    Recipient.objects.filter(message=first).update(id=aged)
    send(sender, to=second_recipient.address)
    assert OutgoingMail.objects.filter(to_address=second_recipient.address, kind="notification").count() == 2


def test_without_a_cap_none_is_held_back(sender, second_recipient, organization, send):
    organization.hourly_notifications = 0
    organization.save()
    for _ in range(30):
        send(sender, to=second_recipient.address)
    assert OutgoingMail.objects.filter(kind="notification").count() == 30


def test_a_password_is_never_held_back(sender, organization, send):
    organization.hourly_notifications = 1
    organization.save()
    for _ in range(3):
        send(sender, to="new@elsewhere.example")
    kinds = list(OutgoingMail.objects.values_list("kind", flat=True))
    assert sorted(kinds) == ["digest", "notification", "password_notification"]
