import pytest
from django.urls import reverse


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


def test_what_begins_with_it_comes_first_and_one_letter_is_too_little(complete, sender, make_user, organization):
    make_user(organization, "anna@north.example", name="Anna")
    make_user(organization, "joanna@north.example", name="Joanna")
    assert complete(sender, "anna") == ["anna@north.example", "joanna@north.example"]
    assert complete(sender, "a") == []


def test_disabled_people_are_not_offered(complete, sender, colleague):
    from django.utils import timezone

    colleague.disabled_at = timezone.now()
    colleague.save()
    assert complete(sender, "colle") == []
