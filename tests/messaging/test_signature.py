from django.urls import reverse

from messaging import signatures
from messaging.models import Signature

from .conftest import copy_of

TEXT = "Demo Sender\nNorth Clinic, Reception"


def test_it_is_kept_and_stands_under_new_messages_and_answers(sender, recipient, send, log_in):
    client = log_in(sender)
    page = client.post(reverse("signature"), {"text": TEXT}, follow=True)
    assert "Signature saved." in page.text
    compose = client.get("/compose/")
    assert compose.context["form"]["body"].value() == f"\n\n{TEXT}"
    message = send(recipient, to=sender.address)
    reply = client.get(reverse("reply", args=[copy_of(message, sender).id]))
    assert "North Clinic, Reception" in reply.text


def test_without_one_the_message_is_empty(sender, log_in):
    assert not log_in(sender).get("/compose/").context["form"]["body"].value()


def test_it_is_ones_own(sender, colleague, log_in):
    signatures.change(sender, TEXT)
    assert "Reception" not in log_in(colleague).get(reverse("signature")).text


def test_one_that_is_too_long_is_said_and_given_back(sender, log_in):
    page = log_in(sender).post(reverse("signature"), {"text": "x" * 2001})
    assert page.status_code == 422
    assert "x" * 2001 in page.text
    assert not Signature.objects.exists()


def test_it_is_text_and_never_markup(sender, log_in):
    signatures.change(sender, "<b>bold</b><script>x()</script>")
    assert "<script>x()" not in log_in(sender).get("/compose/").text
