"""Which definitions a sender is offered, chooses, and sends under."""

import pytest
from django.urls import reverse

from accounts.models import Group
from messaging import definitions, drafts, sending
from messaging.access import openable_entry
from messaging.models import Definition, DefinitionFolder, Message
from messaging.replies import Answer
from portal.ids import uuid7

from .conftest import copy_of, send_confirmed


@pytest.fixture
def default(organization) -> Definition:
    return definitions.default_for(organization)


@pytest.fixture
def define(organization):
    """define(description, **fields): one more definition."""

    def make(description: str, **fields) -> Definition:
        return Definition.objects.create(organization=organization, description=description, **fields)

    return make


@pytest.fixture
def folder(organization, sender) -> DefinitionFolder:
    """A folder whose only group has the sender in it."""
    group = Group.objects.create(organization=organization, name="Ward")
    group.members.add(sender)
    folder = DefinitionFolder.objects.create(organization=organization, name="Clinical")
    folder.groups.add(group)
    return folder


def test_those_without_a_folder_go_to_every_licensed_sender(default, define, sender, colleague, recipient):
    free = define("Free", position=1)
    assert definitions.offered_to(sender) == [default, free]
    assert definitions.offered_to(colleague) == [default]
    assert definitions.offered_to(recipient) == [default]


def test_those_in_a_folder_go_to_its_groups(default, define, folder, sender, make_user, organization):
    inside = define("Inside", folder=folder)
    other = make_user(organization, "other@north.example", is_licensed=True)
    assert inside in definitions.offered_to(sender)
    assert inside not in definitions.offered_to(other)
    folder.groups.clear()
    assert inside not in definitions.offered_to(sender)


def test_a_member_without_a_licence_is_offered_the_default_alone(default, define, folder, colleague):
    define("Inside", folder=folder)
    folder.groups.get().members.add(colleague)
    assert definitions.offered_to(colleague) == [default]


def test_a_member_of_two_of_its_groups_is_offered_it_once(define, folder, sender, organization):
    inside = define("Inside", folder=folder)
    second = Group.objects.create(organization=organization, name="Second")
    second.members.add(sender)
    folder.groups.add(second)
    assert definitions.offered_to(sender).count(inside) == 1
    assert list(definitions.senders_offered(inside)) == [sender]


def test_they_come_in_the_administrators_order(default, define, sender):
    last, first = define("Last", position=9), define("First", position=0)
    Definition.objects.filter(pk=default.pk).update(position=5)
    assert definitions.offered_to(sender) == [first, default, last]


def test_another_organizations_are_never_offered(default, sender, other_organization):
    Definition.objects.create(organization=other_organization, description="Theirs")
    assert definitions.offered_to(sender) == [default]


def test_asking_takes_a_constant_number_of_queries(default, define, folder, sender, django_assert_num_queries):
    for n in range(30):
        define(f"Inside {n}", folder=folder)
    with django_assert_num_queries(3):
        definitions.offered_to(sender)


def sent_under(message_id) -> Definition:
    return Message.objects.get(id=message_id, sent_at__isnull=False).definition


def test_what_is_chosen_is_sent_under(define, sender, write):
    strict = define("Strict", may_reply=False, may_print=False, expire_after_days=3)
    message = sending.send_draft(actor=sender, entry=write(sender, to="a@x.example", definition=strict.id)).message
    assert sent_under(message.id) == strict
    assert (message.may_reply, message.may_print) == (False, False)
    assert (message.expires_at - message.sent_at).days == 3


def test_a_reply_is_under_the_default_whatever_is_posted(default, define, sender, recipient, send):
    strict = define("Strict")
    message = send(sender, to=recipient.address)
    answer = Answer(openable_entry(sender, copy_of(message, sender).id), True)
    assert send(sender, answer=answer, definition=strict.id).definition == default


def test_what_is_not_offered_any_more_is_not_sent_under(define, folder, sender, write):
    inside = define("Inside", folder=folder)
    entry = write(sender, to="a@x.example", definition=inside.id)
    folder.groups.clear()
    with pytest.raises(sending.NotSent, match="“Inside” is not offered to you any more"):
        sending.send_draft(actor=sender, entry=entry)
    assert Message.objects.get(id=entry.message_id).sent_at is None


def posted(**fields) -> dict:
    return {"to": "a@x.example", "subject": "Hello", "body": "Text", "action": "send", **fields}


def test_the_page_offers_them_and_keeps_the_choice(default, define, sender, log_in):
    strict = define("Strict", may_reply=False, may_reply_all=False)
    client, message_id = log_in(sender), uuid7()
    html = client.get(reverse("compose")).content.decode()
    assert f'<option value="{default.id}" selected>' in html
    assert "Replies are not allowed." in html
    url = reverse("draft", args=[message_id])
    client.post(url, posted(definition=strict.id, action="save"))
    html = client.get(url).content.decode()
    assert f'<option value="{strict.id}" selected>Strict</option>' in html
    assert "no longer offered" not in html
    send_confirmed(client, url, posted(definition=strict.id))
    assert sent_under(message_id) == strict


def test_with_nothing_to_choose_there_is_no_choice(default, sender, recipient, log_in):
    for person in (sender, recipient):
        html = log_in(person).get(reverse("compose")).content.decode()
        assert "<span>Standard</span>" in html
        assert 'name="definition"' not in html


def test_a_forged_choice_is_refused_at_sending(define, folder, sender, make_user, organization, log_in):
    inside = define("Inside", folder=folder)
    other = make_user(organization, "other@north.example", is_licensed=True)
    message_id = uuid7()
    response = log_in(other).post(reverse("draft", args=[message_id]), posted(definition=inside.id))
    assert response.status_code == 422
    html = response.content.decode()
    assert "“Inside” is not offered to you any more" in html
    assert "(no longer offered: choose another)" in html
    assert not Message.objects.filter(id=message_id, sent_at__isnull=False).exists()


@pytest.mark.parametrize("whose", ["deleted", "foreign"])
def test_a_choice_that_is_gone_is_not_silently_the_default(define, sender, log_in, other_organization, whose):
    gone = define("Gone") if whose == "deleted" else Definition.objects.create(organization=other_organization)
    gone_id = gone.id
    if whose == "deleted":
        gone.delete()
    message_id = uuid7()
    response = log_in(sender).post(reverse("draft", args=[message_id]), posted(definition=gone_id), follow=True)
    assert "The definition you chose does not exist any more." in response.content.decode()
    assert Message.objects.get(id=message_id).sent_at is None


def test_undoing_keeps_the_choice(define, sender, write):
    from messaging import undo

    strict = define("Strict", expire_after_days=3)
    sender.organization.undo_seconds = 60
    entry = sending.send_draft(actor=sender, entry=write(sender, to="a@x.example", definition=strict.id))
    message = undo.undo_sending(actor=sender, entry=entry)
    draft = message.entries.get()
    assert drafts.open_draft(draft).definition == strict.id
    assert drafts.open_draft(draft).expires_at is None
