from datetime import UTC, datetime

from django.urls import reverse

from messaging import licences
from messaging.models import Definition, RecipientUse

URL = reverse("admin:messaging_definition_dry_run")


def tried(place, sender: str, to: str):
    response = place.client.get(URL, {"sender": sender, "to": to})
    assert response.status_code == 200
    return response.content.decode()


def test_it_says_what_is_offered_and_why(north, sender, recipient):
    inside = Definition.objects.create(
        organization=north.organization, folder=north.folder, description="Ward only", may_print=False
    )
    html = tried(north, sender.address, recipient.address)
    assert "It is in no folder: every licensed sender is offered it." in html
    assert "The sender is in “north people”, a group of the folder “north folder”." in html
    assert "Printing is not allowed." in html
    assert "Definitions not offered" not in html
    north.group.members.remove(sender)
    html = tried(north, sender.address, recipient.address)
    assert "The sender is in no group of the folder “north folder”." in html
    assert inside.description in html.partition("Definitions not offered")[2]


def test_it_counts_the_licence_as_sending_would(north, sender, recipient):
    month = licences.month_of(sender, datetime.now(UTC))
    RecipientUse.objects.bulk_create(
        RecipientUse(sender=sender, month=month, address=f"a{n}@x.example") for n in range(500)
    )
    html = tried(north, sender.address, recipient.address)
    assert "500 of 500 external recipients of this month are used." in html
    assert "first@outside.example would be one over: nothing would be sent." in html
    assert "a1@x.example was written to this month and counts no more." in tried(north, sender.address, "a1@x.example")
    assert "such recipients are not counted" in tried(north, sender.address, "admin@north.example")
    assert RecipientUse.objects.filter(month=month).count() == 500


def test_it_says_what_stands_against_it(north, sender, colleague, recipient, second_recipient):
    assert "The sender has no licence" in tried(north, colleague.address, recipient.address)
    assert "only to the organisation&#x27;s own people" in tried(north, recipient.address, second_recipient.address)
    assert "What stands against it" not in tried(north, recipient.address, sender.address)
    sender.allow_logon = recipient.allow_logon = False
    sender.save()
    recipient.save()
    html = tried(north, sender.address, recipient.address)
    assert "The sender cannot log in" in html
    assert "would get the message, but cannot log in" in html


def test_it_says_what_the_sender_would_be_asked(north, sender):
    assert "has written to never.example before" in tried(north, sender.address, "a@never.example")


def test_wrong_and_foreign_addresses(north, south):
    assert "is not an email address" in tried(north, "nobody", "nobody either")
    assert "There is no user with this address." in tried(north, south.user.address, "a@x.example")
    # A person of the other organisation is as unknown as anybody.
    html = tried(north, "sender@north.example", south.user.address)
    assert "South" not in html
    assert "has written to south.example before" in html


def test_it_is_for_administrators(sender, log_in, client):
    assert log_in(sender).get(URL, follow=True).status_code == 404
    assert client.get(URL).status_code == 302
