import pytest
from django.urls import reverse

from accounts.models import Domain
from messaging.cautions import looks_like
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
    send(to="someone@new.example", action="send_confirmed")
    send(to="another@new.example")
    assert sent() == 2


def test_a_look_alike_of_a_known_domain_is_named(send, recipient):
    page = send(to="first@0utside.example")
    assert "0utside.example looks like outside.example" in page.text
    assert sent() == 0


def test_many_who_would_see_each_other_are_said(send, recipient):
    many = ", ".join(f"r{n}@outside.example" for n in range(21))
    assert "21 recipients who will all see each other" in send(to=many).text
    send(bcc=many)
    assert sent() == 1


def test_what_cannot_be_sent_anyway_is_said_first(send):
    page = send(to="someone@new.example", expires_at="2001-01-01T10:00")
    assert "expiry is in the past" in page.text
    assert "has written to" not in page.text


@pytest.mark.parametrize(
    ("domain", "known"),
    [
        ("exarnple.org", "example.org"),
        ("examp1e.org", "example.org"),
        ("exmaple.org", "example.org"),
        ("exampl.org", "example.org"),
        ("examplee.org", "example.org"),
        ("example.com", "example.org"),
        ("ex-ample.org", "example.org"),
        ("north.example", "n0rth.example"),
    ],
)
def test_what_looks_alike(domain, known):
    assert looks_like(domain, known)
    assert looks_like(known, domain)


@pytest.mark.parametrize(
    ("domain", "known"), [("a.org", "b.org"), ("outside.example", "elsewhere.example"), ("gmx.de", "gmail.com")]
)
def test_what_does_not(domain, known):
    assert not looks_like(domain, known)
