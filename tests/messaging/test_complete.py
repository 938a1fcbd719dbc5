import pytest
from django.urls import reverse

from accounts.models import Group, User
from messaging import erasing
from portal.ids import uuid7


@pytest.fixture
def complete(log_in):
    def ask(person, typed):
        people = log_in(person).post(reverse("complete"), {"typed": typed}).json()["people"]
        return [found["address"] for found in people]

    return ask


def test_the_directory_is_offered_to_the_organisations_own_people(complete, sender, colleague, other_administrator):
    assert complete(sender, "colle") == [colleague.address]
    assert complete(sender, "north.ex") == [colleague.address, sender.address]
    assert complete(sender, "south") == []


def test_past_recipients_are_offered_to_who_wrote_to_them_alone(complete, sender, colleague, recipient, send):
    send(sender, to=recipient.address)
    assert complete(sender, "first") == [recipient.address]
    assert complete(colleague, "first") == []
    assert complete(colleague, "outside") == []


def test_an_external_person_sees_whom_they_know_only(complete, sender, colleague, recipient, second_recipient, send):
    assert complete(recipient, "north") == []
    send(sender, to=recipient.address, bcc=second_recipient.address)
    assert complete(recipient, "north") == [sender.address]
    assert complete(recipient, "second") == []


def test_whoever_writes_is_offered_once_the_message_can_be_seen(complete, sender, recipient, send):
    sender.organization.undo_seconds = 60
    sent = send(sender, to=recipient.address)
    assert complete(recipient, "north") == []
    sent.entries.update(visible_at=sent.sent_at)
    assert complete(recipient, "north") == [sender.address]


def test_nobody_who_is_erased_is_offered_or_written_to(complete, sender, recipient, administrator, send, log_in):
    send(sender, to=recipient.address)
    send(recipient, to=sender.address)
    erasing.order(actor=administrator, user=recipient)
    erasing.work_off()
    address = User.objects.get(pk=recipient.pk).address
    assert complete(sender, "erased") == complete(sender, address[:8]) == []
    form = {"to": address, "subject": "s", "body": "b", "action": "send"}
    assert "data has been erased" in log_in(sender).post(reverse("draft", args=[uuid7()]), form).text


def test_what_begins_with_it_comes_first_and_one_letter_is_too_little(complete, sender, make_user, organization):
    make_user(organization, "anna@north.example", name="Anna")
    make_user(organization, "joanna@north.example", name="Joanna")
    assert complete(sender, "anna") == ["anna@north.example", "joanna@north.example"]
    assert complete(sender, "a") == []


def test_groups_whose_names_cannot_be_read_back_are_not_offered(complete, sender, organization):
    for name in ("Ward 3, nights", "Ward 3; days", "Ward@3", "Ward 3 (all)"):
        Group.objects.create(organization=organization, name=name)
    assert complete(sender, "ward") == ["Ward 3 (all)"]


def test_disabled_people_are_not_offered(complete, sender, colleague):
    from django.utils import timezone

    colleague.disabled_at = timezone.now()
    colleague.save()
    assert complete(sender, "colle") == []
