"""Reading a body as an administrator: one asks, another approves, the owner is told, everything is written down."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.urls import reverse

from accounts import roles
from messaging import recall, retention
from messaging.models import ApprovedReading, MailboxEntry, Message
from portal import delivery, moments
from portal.models import AuditEvent, Organization

from ..messaging.conftest import BODY, SUBJECT, send, write  # noqa: F401  fixtures
from .conftest import just_confirmed, page


@pytest.fixture
def message(north, sender, send):  # noqa: F811
    return send(sender, to="first@outside.example")


@pytest.fixture
def second(north, make_user, log_in):
    """Another administrator's browser."""
    return just_confirmed(log_in(make_user(north.organization, "second-admin@north.example", is_staff=True)))


def url(name: str, row) -> str:
    return reverse(f"admin:messaging_approvedreading_{name}", args=[row.pk])


def ask(client, message, reason: str = "A complaint") -> ApprovedReading:
    response = client.post(url("ask", message), {"reason": reason})
    assert response.status_code == 302
    return ApprovedReading.objects.get(message=message)


def approve(client, asked) -> ApprovedReading:
    assert client.post(url("decide", asked), {"approve": "yes"}).url == url("change", asked)
    asked.refresh_from_db()
    return asked


def steps(message) -> list[tuple[str, str]]:
    found = AuditEvent.objects.filter(about=message.pk, action__startswith="message.reading").order_by("id")
    return list(found.values_list("actor_address", "action"))


def test_one_asks_another_approves_and_the_owner_is_told(north, second, message, smtp):
    asked = ask(north.client, message)
    html = second.get(url("change", asked)).content.decode()
    assert "A complaint" in html
    assert "<iframe" not in html
    approve(second, asked)
    assert "<iframe" in north.client.get(url("change", asked)).content.decode()
    response = north.client.get(url("body", asked))
    assert BODY in response.content.decode()
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    delivery.deliver_due()
    [mail] = [mail for mail in smtp.messages if "may read a message" in mail["Subject"]]
    assert mail.rcpt == ["sender@north.example"]
    text = mail.get_body(("plain",)).get_content()
    for word in ("admin@north.example may read", "second-admin@north.example approved it", "A complaint"):
        assert word in " ".join(text.split())
    assert SUBJECT not in mail.as_string()
    assert steps(message) == [
        ("admin@north.example", "message.reading_asked"),
        ("second-admin@north.example", "message.reading_approved"),
        ("admin@north.example", "message.reading_read"),
    ]


def test_each_reading_is_written_down_and_the_owner_told_once(north, second, message, smtp):
    asked = approve(second, ask(north.client, message))
    for _time in range(3):
        north.client.get(url("body", asked))
    delivery.deliver_due()
    assert sum(action == "message.reading_read" for _who, action in steps(message)) == 3
    assert sum("may read a message" in mail["Subject"] for mail in smtp.messages) == 1


def test_nobody_approves_their_own(north, message):
    asked = ask(north.client, message)
    html = north.client.post(url("decide", asked), {"approve": "yes"}, follow=True).content.decode()
    assert "Nobody approves what they asked for themselves." in html
    asked.refresh_from_db()
    assert asked.decided_at is None
    assert north.client.get(url("body", asked)).status_code == 410
    with pytest.raises(IntegrityError):
        ApprovedReading.objects.filter(pk=asked.pk).update(decided_by=asked.asked_by, decided_at=moments.now())


def test_what_is_refused_is_not_read(north, second, message, smtp):
    asked = ask(north.client, message)
    second.post(url("decide", asked), {"refuse": "yes"})
    assert north.client.get(url("body", asked)).status_code == 410
    second.post(url("decide", asked), {"approve": "yes"})  # too late
    asked.refresh_from_db()
    assert asked.readable_until is None
    assert [action for _who, action in steps(message)] == ["message.reading_asked", "message.reading_refused"]


def test_an_approval_lasts_an_hour(north, second, message):
    asked = approve(second, ask(north.client, message))
    assert asked.readable_until == asked.decided_at + timedelta(hours=1)
    ApprovedReading.objects.filter(pk=asked.pk).update(readable_until=moments.now() - timedelta(seconds=1))
    response = north.client.get(url("body", asked))
    assert response.status_code == 410
    assert BODY not in response.content.decode()
    assert "over" in response.content.decode()
    assert "<iframe" not in north.client.get(url("change", asked)).content.decode()


def test_what_nobody_decides_in_a_day_is_void(north, second, message):
    asked = ask(north.client, message)
    ApprovedReading.objects.filter(pk=asked.pk).update(asked_at=moments.now() - timedelta(hours=25))
    html = second.post(url("decide", asked), {"approve": "yes"}, follow=True).content.decode()
    assert "nobody decided it within 24 hours" in html
    asked.refresh_from_db()
    assert asked.decided_at is None


def test_only_who_asked_reads(north, second, message):
    asked = approve(second, ask(north.client, message))
    assert second.get(url("body", asked)).status_code == 404
    assert "<iframe" not in second.get(url("change", asked)).content.decode()


def test_a_reason_is_needed(north, message):
    response = north.client.post(url("ask", message), {"reason": "  "})
    assert response.status_code == 200
    assert not ApprovedReading.objects.filter(message=message).exists()


def test_after_a_recall_the_authors_copy_opens_and_then_nothing(north, second, sender, message):
    recall.recall_message(actor=sender, message=message)
    asked = approve(second, ask(north.client, message))
    assert BODY in north.client.get(url("body", asked)).content.decode()
    MailboxEntry.objects.filter(message=message).update(wrapped_key=None, removed_at=moments.now())
    response = north.client.get(url("body", asked))
    assert response.status_code == 410
    assert "was recalled and its author has removed their copy" in response.content.decode()
    assert "was recalled" in north.client.get(url("change", asked)).content.decode()


def test_where_the_author_has_no_copy_a_recipients_opens_and_they_are_told(north, second, recipient, message, smtp):
    MailboxEntry.objects.filter(message=message, kind="sent").update(wrapped_key=None, removed_at=moments.now())
    asked = approve(second, ask(north.client, message))
    assert BODY in north.client.get(url("body", asked)).content.decode()
    delivery.deliver_due()
    told = [mail.rcpt for mail in smtp.messages if "may read a message" in mail["Subject"]]
    assert told == [[recipient.address]]


def test_what_is_destroyed_is_not_asked_for(north, message):
    Message.objects.filter(pk=message.pk).update(sent_at=moments.now() - timedelta(days=4000))
    Organization.objects.filter(pk=north.organization.pk).update(retention_days=30)
    retention.purge_due()
    html = north.client.get(url("ask", message)).content.decode()
    assert "destroyed at the end of its retention" in html
    north.client.post(url("ask", message), {"reason": "Curious"})
    assert not ApprovedReading.objects.filter(message=message).exists()


def test_who_it_is_is_asked_before_approving(north, second, message):
    asked = ask(north.client, message)
    just_confirmed(second, timedelta(minutes=6))
    assert second.post(url("decide", asked), {"approve": "yes"}).url.startswith("/account/confirm/")
    asked.refresh_from_db()
    assert asked.decided_at is None


@pytest.mark.parametrize(
    ("role", "may_ask", "may_approve"),
    [
        ("", True, True),
        (roles.Role.BASIC, True, False),
        (roles.Role.HELP_DESK, False, False),
        (roles.Role.AUDITOR, False, False),
    ],
)
def test_who_asks_and_who_approves(north, administrator, message, make_user, log_in, role, may_ask, may_approve):
    user = make_user(north.organization, "played@north.example", is_staff=True)
    roles.give_role(actor=administrator, user=user, role=role)
    client = just_confirmed(log_in(user))
    assert client.get(url("ask", message)).status_code == (200 if may_ask else 403)
    assert client.post(url("ask", message), {"reason": ""}).status_code == (200 if may_ask else 403)
    asked = ask(north.client, message)
    client.post(url("decide", asked), {"approve": "yes"})
    asked.refresh_from_db()
    assert (asked.decided_by == user) == may_approve


def test_a_right_that_is_taken_ends_the_reading(north, second, administrator, message):
    asked = approve(second, ask(north.client, message))
    roles.give_role(actor=administrator, user=administrator, role=roles.Role.AUDITOR)
    assert north.client.get(url("body", asked)).status_code == 404


def test_no_other_page_shows_what_was_written(north, second, message):
    asked = approve(second, ask(north.client, message))
    pages = [url("change", asked), url("history", asked), url("ask", message), page(ApprovedReading, "changelist")]
    pages += [page(Message, "change", message.pk), page(Message, "history", message.pk), page(AuditEvent, "changelist")]
    for address in pages:
        html = north.client.get(address).content.decode()
        assert BODY not in html
        assert SUBJECT not in html
