"""Send me my link: for whoever cannot find the notification any more."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts import mail_requests
from accounts.models import MailRequest, User
from portal import delivery, moments
from portal.models import OutgoingMail
from tests.attacks.test_no_oracle import seen

from .test_reset_password import plain_text_of


def ask(client: Client, address: str):
    return client.post("/send-link/", {"address": address})


def ask_and_answer(client: Client, address: str) -> MailRequest:
    ask(client, address)
    mail_requests.answer_waiting()
    return MailRequest.objects.latest("id")


def test_the_way_from_the_home_page(client, recipient):
    assert 'href="/send-link/">Send me my link' in client.get("/").content.decode()
    assert "Email Address" in client.get("/send-link/").content.decode()
    assert ask(client, recipient.address).url == "/send-link/sent/"
    assert "A message was sent" in client.get("/send-link/sent/").content.decode()


def test_the_answer_is_the_same_for_an_unknown_address(db):
    address = "somebody@outside.example"
    expected = seen(ask(Client(), address)), seen(Client().get("/send-link/sent/"))
    assert expected[0][0] == 302


def test_each_organisation_where_the_address_is_known_writes(client, recipient, stranger, smtp):
    assert recipient.address == stranger.address
    assert ask_and_answer(client, recipient.address).outcome == "sent"
    delivery.deliver_due()
    texts = {message["Subject"]: plain_text_of(message) for message in smtp.messages}
    assert set(texts) == {"North Clinic: Your secure messages", "South Council: Your secure messages"}
    assert "http://127.0.0.1:8000/p/north/\n" in texts["North Clinic: Your secure messages"]
    assert "http://127.0.0.1:8000/p/south/\n" in texts["South Council: Your secure messages"]


@pytest.mark.parametrize(
    ("change", "outcome"), [({"allow_logon": False}, "not_allowed"), ({"address": "x@y.example"}, "unknown")]
)
def test_who_gets_none(client, recipient, change, outcome):
    address = recipient.address
    User.objects.update(**change)
    assert ask_and_answer(client, address).outcome == outcome
    assert not OutgoingMail.objects.exists()


def test_one_a_minute(client, recipient):
    ask_and_answer(client, recipient.address)
    assert ask_and_answer(client, recipient.address).outcome == "too_many"
    MailRequest.objects.update(at=moments.now() - timedelta(seconds=61))
    assert ask_and_answer(client, recipient.address).outcome == "sent"


def test_too_many_from_one_network(client, db):
    for number in range(30):
        ask(client, f"n{number}@outside.example")
    assert ask(client, "n@outside.example").status_code == 429
