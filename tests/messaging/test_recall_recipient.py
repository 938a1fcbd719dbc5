import pytest
from django.urls import reverse

from messaging.models import Message, Recipient
from messaging.recall import AlreadyRecalled, recall_for_recipient, recall_message
from portal.models import AuditEvent, OutgoingMail

from .conftest import SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, second_recipient, send):
    return send(sender, to=f"{recipient.address}, {second_recipient.address}")


@pytest.fixture
def address(sent, sender, recipient):
    return reverse("recall_recipient", args=[copy_of(sent, sender).id, Recipient.objects.get(user=recipient).id])


def test_one_recipient_loses_it_the_others_keep_it(address, sent, sender, recipient, second_recipient, log_in):
    client = log_in(sender)
    assert "Everybody else keeps it." in client.get(address).text
    page = client.post(address, follow=True)
    assert "gone from 1 mailbox" in page.text
    assert "Recalled" in page.text
    gone = log_in(recipient)
    assert SUBJECT not in gone.get("/inbox/").text
    assert gone.get(reverse("message", args=[copy_of(sent, recipient).id])).status_code == 410
    assert SUBJECT in log_in(second_recipient).get("/inbox/").text
    assert Message.objects.get().recalled_at is None
    states = dict(OutgoingMail.objects.values_list("to_address", "state"))
    assert states == {recipient.address: "cancelled", second_recipient.address: "due"}
    assert AuditEvent.objects.get(action="message.recalled_for_recipient").details["recipient"] == recipient.address


def test_the_second_time_it_is_said_as_the_first(address, sent, sender, recipient, log_in):
    client = log_in(sender)
    for _press in range(2):
        said = client.post(address, follow=True).text
        assert "Recalled. The message is gone from 1 mailbox." in said
        assert "already" not in said
    assert AuditEvent.objects.filter(action="message.recalled_for_recipient").count() == 1
    with pytest.raises(AlreadyRecalled):
        recall_for_recipient(actor=sender, recipient=Recipient.objects.get(user=recipient))


@pytest.mark.parametrize("is_for_one", [True, False])
def test_what_has_happened_is_not_offered_again(is_for_one, address, sent, sender, recipient, log_in):
    client = log_in(sender)
    if is_for_one:
        client.post(address)
    else:
        recall_message(actor=sender, message=sent)
    assert client.get(address)["Location"] == reverse("message", args=[copy_of(sent, sender).id])


def test_it_checks_ownership(address, recipient, second_recipient, stranger, log_in):
    for person in (recipient, second_recipient, stranger):
        assert log_in(person).post(address).status_code == 404
    assert not Recipient.objects.filter(recalled_at__isnull=False).exists()


def test_a_recipient_of_another_message_is_not_found(sent, sender, recipient, send, log_in):
    other = send(sender, to=recipient.address)
    url = reverse("recall_recipient", args=[copy_of(sent, sender).id, other.recipients.get().id])
    assert log_in(sender).post(url).status_code == 404
