from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging import receipts
from messaging.models import MailboxEntry, Message, Recipient
from portal.models import AuditEvent, OutgoingMail, RetentionKey

from .conftest import BODY, SUBJECT, copy_of
from .test_reply import answer, reply_page


@pytest.fixture
def sent(sender, recipient, second_recipient, send):
    return send(sender, to=recipient.address, bcc=second_recipient.address)


@pytest.fixture
def address(sent, recipient):
    return reverse("message", args=[copy_of(sent, recipient).id])


def expire(message):
    Message.objects.filter(id=message.id).update(expires_at=timezone.now() - timedelta(seconds=1))


def test_it_shows_the_message(address, recipient, log_in):
    client = log_in(recipient)
    page = client.get(address)
    assert SUBJECT in page.text
    assert "sender@north.example" in page.text
    assert BODY in client.get(address + "body/").text


def test_the_first_opening_is_told_to_the_sender(address, sent, recipient, sender, log_in):
    client = log_in(recipient)
    client.get(address)
    client.get(address)
    read_at = Recipient.objects.get(user=recipient).read_at
    assert read_at is not None
    assert AuditEvent.objects.filter(action="message.read", actor_id=recipient.id).count() == 1
    page = log_in(sender).get(reverse("message", args=[copy_of(sent, sender).id]))
    assert "Read" in page.text


SHOWING = ["", "body/", "print/", "download/", "reply/"]


@pytest.mark.parametrize("page", SHOWING)
@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_prefetch_is_no_opening_and_gets_nothing(page, address, recipient, log_in, headers):
    Message.objects.update(may_download=True)
    response = log_in(recipient).get(address + page, headers=headers)
    assert (response.status_code, response.content, response["Cache-Control"]) == (503, b"", "no-store")
    assert Recipient.objects.get(user=recipient).read_at is None


@pytest.mark.parametrize("page", SHOWING)
def test_head_is_no_opening(page, address, recipient, log_in):
    Message.objects.update(may_download=True)
    assert log_in(recipient).head(address + page).status_code == 200
    assert Recipient.objects.get(user=recipient).read_at is None


@pytest.mark.parametrize("page", SHOWING)
def test_whatever_shows_it_opens_it(page, address, sent, recipient, log_in):
    Message.objects.update(may_download=True, read_receipt=True)
    log_in(recipient).get(address + page)
    assert Recipient.objects.get(user=recipient).read_at is not None
    assert copy_of(sent, recipient).read_at is not None
    assert AuditEvent.objects.filter(action="message.read", actor_id=recipient.id).count() == 1
    assert OutgoingMail.objects.filter(kind="read_receipt").count() == 1


@pytest.mark.parametrize("page", ["print/", "download/"])
def test_what_is_refused_is_not_opened(page, address, recipient, log_in):
    Message.objects.update(may_print=False)
    assert log_in(recipient).get(address + page).status_code == 403
    assert Recipient.objects.get(user=recipient).read_at is None


@pytest.mark.parametrize(("person", "queries"), [("recipient", 2), ("sender", 3)])
def test_to_show_the_text_again_costs_nothing_more(
    person, queries, sent, recipient, log_in, django_assert_num_queries, request
):
    """The session with its user, the copy; and the quotes, where there are any."""
    reader = request.getfixturevalue(person)
    answer(log_in(recipient), reply_page(log_in(recipient), sent, recipient))
    message = sent if person == "recipient" else Message.objects.get(in_reply_to=sent)
    client, address = log_in(reader), reverse("message", args=[copy_of(message, reader).id])
    client.get(address)
    with django_assert_num_queries(queries):
        client.get(address + "body/")


def test_bcc_is_shown_to_the_author_alone(address, sent, recipient, sender, second_recipient, log_in):
    assert second_recipient.address not in log_in(recipient).get(address).text
    own = log_in(sender).get(reverse("message", args=[copy_of(sent, sender).id]))
    assert second_recipient.address in own.text
    hidden = log_in(second_recipient).get(reverse("message", args=[copy_of(sent, second_recipient).id]))
    assert "Bcc" not in hidden.text


def test_the_author_sees_what_happened_at_each_recipient(sent, sender, recipient, log_in):
    OutgoingMail.objects.filter(to_address=recipient.address).update(
        state="failed", finished_at=timezone.now(), server_reply="550 No such mailbox"
    )
    page = log_in(sender).get(reverse("message", args=[copy_of(sent, sender).id])).text
    assert "550 No such mailbox" in page
    assert "Notification waiting" in page


@pytest.mark.parametrize("person", ["sender", "second_recipient", "stranger", "colleague", "other_administrator"])
def test_it_checks_ownership(address, person, log_in, request):
    client = log_in(request.getfixturevalue(person))
    for path in (address, address + "body/", address + "recall/", address + "reply/"):
        assert client.get(path).status_code == 404


def test_an_expired_message_is_told_and_not_opened(address, sent, recipient, log_in):
    expire(sent)
    client = log_in(recipient)
    page = client.get(address)
    assert page.status_code == 410
    assert "expired" in page.text
    assert SUBJECT not in page.text
    assert client.get(address + "body/").status_code == 410
    answer = client.get(address + "reply/")
    assert (answer.status_code, "This message has expired" in answer.text) == (410, True)


def test_expiry_does_not_wait_for_a_worker_and_spares_the_author(address, sent, sender, log_in):
    expire(sent)
    page = log_in(sender).get(reverse("message", args=[copy_of(sent, sender).id]))
    assert page.status_code == 200
    assert "Expired" in page.text


def test_what_is_not_visible_yet_does_not_exist(address, recipient, log_in):
    MailboxEntry.objects.filter(owner=recipient).update(visible_at=timezone.now() + timedelta(hours=1))
    client = log_in(recipient)
    assert client.get(address).status_code == 404
    assert SUBJECT not in client.get("/inbox/").text


def test_the_body_has_a_frame_and_a_policy_of_its_own(address, recipient, log_in):
    client = log_in(recipient)
    page = client.get(address)
    assert 'sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox"' in page.text
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    body = client.get(address + "body/")
    policy = body["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "sandbox " in policy
    assert "script" not in policy
    assert body["X-Frame-Options"] == "SAMEORIGIN"


def test_a_value_moved_to_another_row_does_not_open(sender, recipient, send, log_in):
    """A broken seal is a plain error page with a reference, and an audit event: nothing of the message."""
    one, two = send(sender, to=recipient.address), send(sender, to=recipient.address, subject="Another")
    Message.objects.filter(id=two.id).update(subject=one.subject, body=one.body)
    client = log_in(recipient)
    response = client.get(reverse("message", args=[copy_of(two, recipient).id]))
    assert response.status_code == 500
    assert SUBJECT not in response.text
    assert AuditEvent.objects.get(action="seal.broken").actor_id == recipient.id
    assert [row["state"] for row in client.get("/inbox/").context["rows"]] == ["unreadable", ""]


def test_when_the_months_key_is_destroyed_nothing_opens(address, sent, recipient, sender, log_in):
    RetentionKey.objects.update(wrapped_key=None, destroyed_at=timezone.now())
    assert log_in(recipient).get(address).status_code == 410
    own = log_in(sender).get(reverse("message", args=[copy_of(sent, sender).id]))
    assert own.status_code == 410
    assert SUBJECT not in own.text


def test_it_takes_few_queries(address, recipient, log_in, django_assert_max_num_queries):
    client = log_in(recipient)
    client.get(address)
    with django_assert_max_num_queries(8):
        client.get(address)


def test_people_stand_with_a_comma_right_behind_each(sender, recipient, send, log_in):
    message = send(sender, to=f"{recipient.address}, new@unheard.example, third@unheard.example")
    page = log_in(recipient).get(reverse("message", args=[copy_of(message, recipient).id]))
    people = page.text.partition('<ul class="people">')[2].partition("</ul>")[0]
    assert people.count("</span></li>") == 3


def test_with_many_recipients_the_text_is_not_below_all_of_them(sender, recipient, send, log_in):
    message = send(sender, to=f"{recipient.address}, " + ", ".join(f"n{n}@outside.example" for n in range(10)))
    receipts.record_opening(actor=recipient, entry=copy_of(message, recipient))
    page = log_in(sender).get(reverse("message", args=[copy_of(message, sender).id])).text
    assert "Read by 1 of 11</summary>" in page
    few = log_in(sender).get(reverse("message", args=[copy_of(send(sender, to=recipient.address), sender).id])).text
    assert "Read by" not in few
