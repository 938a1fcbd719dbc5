"""The scenario every sender asks about: A writes to B and C, B replies to all, A recalls. What each of the three sees
in each folder, before and after, where quotes stay and where the organisation has them destroyed too."""

import pytest
from django.urls import reverse

from messaging.access import openable_entry
from messaging.models import MailboxEntry
from messaging.recall import recall_message
from messaging.replies import Answer

from .conftest import copy_of

ORIGINAL = "The original words."
ANSWER = "B's own words."


@pytest.fixture(params=["faithful", "quotes destroyed"])
def mode(request, organization):
    organization.recall_destroys_quotes = request.param == "quotes destroyed"
    organization.save()
    return request.param


@pytest.fixture
def scene(mode, sender, recipient, second_recipient, send, log_in):
    sender.organization.refresh_from_db()
    original = send(sender, to=f"{recipient.address}, {second_recipient.address}", subject="Original", body=ORIGINAL)
    answered = Answer(openable_entry(recipient, copy_of(original, recipient).id), to_all=True)
    answer = send(recipient, subject="Re: Original", body=ANSWER, answer=answered)
    people = {"A": log_in(sender), "B": log_in(recipient), "C": log_in(second_recipient)}
    users = {"A": sender, "B": recipient, "C": second_recipient}
    return original, answer, people, users


def folders_of(people) -> dict[str, dict[str, list[str]]]:
    return {
        name: {
            folder: sorted(row["subject"] for row in client.get(f"/{folder}/").context["rows"])
            for folder in ("inbox", "sent", "deleted")
        }
        for name, client in people.items()
    }


def body_of(client, message, user) -> str:
    entry = MailboxEntry.objects.get(message=message, owner=user)
    return client.get(reverse("body", args=[entry.id])).text


def test_what_each_of_the_three_sees(mode, scene, sender):
    original, answer, people, users = scene
    assert folders_of(people) == {
        "A": {"inbox": ["Re: Original"], "sent": ["Original"], "deleted": []},
        "B": {"inbox": ["Original"], "sent": ["Re: Original"], "deleted": []},
        "C": {"inbox": ["Original", "Re: Original"], "sent": [], "deleted": []},
    }
    for name, client in people.items():
        assert ORIGINAL in body_of(client, answer, users[name])

    recall_message(actor=sender, message=original)

    assert folders_of(people) == {
        "A": {"inbox": ["Re: Original"], "sent": ["Original"], "deleted": []},
        "B": {"inbox": [], "sent": ["Re: Original"], "deleted": []},
        "C": {"inbox": ["Re: Original"], "sent": [], "deleted": []},
    }
    assert people["A"].get("/sent/").context["rows"][0]["state"] == "recalled"
    assert ORIGINAL in body_of(people["A"], original, users["A"])
    for name, client in people.items():
        shown = body_of(client, answer, users[name])
        assert ANSWER in shown
        assert (ORIGINAL in shown) == (mode == "faithful")
    for name in "BC":
        assert ORIGINAL not in body_of(people[name], original, users[name])
