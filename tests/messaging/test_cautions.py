import pytest
from django.urls import reverse

from accounts.models import Domain
from messaging.models import Message
from portal.ids import uuid7


@pytest.fixture
def send(sender, log_in):
    def post(**fields):
        form = {"to": "", "subject": "s", "body": "b", "action": "send"} | fields
        return log_in(sender).post(reverse("draft", args=[uuid7()]), form, follow=True)

    return post


def sent() -> int:
    return Message.objects.filter(sent_at__isnull=False).count()


def test_a_domain_nobody_has_written_to_is_said_once(send):
    page = send(to="someone@new.example")
    assert page.status_code == 422
    assert "has written to new.example before" in page.text
    assert sent() == 0
    assert not Domain.objects.filter(name="new.example").exists()
    send(to="someone@new.example", action="send_confirmed", seen=page.context["cautions"])
    send(to="another@new.example")
    assert sent() == 2


def test_only_what_was_said_is_confirmed(send, recipient):
    """To was changed beside the question."""
    seen = send(to="someone@new.example").context["cautions"]
    page = send(to="someone@0utside.example", action="send_confirmed", seen=seen)
    assert page.status_code == 422
    assert "0utside.example looks like outside.example" in page.text
    assert sent() == 0


def test_a_look_alike_of_a_known_domain_is_named(send, recipient):
    page = send(to="first@0utside.example")
    assert "0utside.example looks like outside.example" in page.text
    assert sent() == 0


def test_an_international_domain_is_named_as_typed_and_as_it_is_sent(send, recipient):
    assert "has written to bücher.example (xn--bcher-kva.example) before" in send(to="anna@bücher.example").text
    cyrillic = send(to="first@\N{CYRILLIC SMALL LETTER O}utside.example").text
    assert "\N{CYRILLIC SMALL LETTER O}utside.example (xn--utside-vqf.example) looks like outside.example" in cyrillic


def test_many_who_would_see_each_other_are_said(send, recipient):
    many = ", ".join(f"r{n}@outside.example" for n in range(21))
    assert "21 recipients who will all see each other" in send(to=many).text
    send(bcc=many)
    assert sent() == 1


def test_what_cannot_be_sent_anyway_is_said_first(send):
    page = send(to="someone@new.example", expires_at="2001-01-01T10:00")
    assert "expiry is in the past" in page.text
    assert "has written to" not in page.text
