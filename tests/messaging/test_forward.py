from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging import replies
from messaging.access import openable_entry
from messaging.models import Attachment, Message, Quote, Recipient, RecipientUse
from messaging.recall import recall_message
from messaging.sealed_files import path_of
from portal.ids import uuid7
from portal.models import Organization

from .conftest import BODY, SUBJECT, copy_of, discard
from .test_reply import answer, reply_page


@pytest.fixture
def sent(sender, recipient, colleague, log_in):
    file = BytesIO(b"the report itself")
    file.name = "report.pdf"
    form = {
        "to": f"{recipient.address}, {colleague.address}",
        "subject": SUBJECT,
        "body": BODY,
        "action": "send",
        "files": file,
    }
    log_in(sender).post(reverse("draft", args=[uuid7()]), form | {"files": file})
    Message.objects.update(may_forward=True)
    return Message.objects.get()


def forward(client, entry, **fields):
    page = client.get(reverse("forward", args=[entry.id]))
    hidden = {name: page.context["form"].initial[name] for name in ("answers", "is_forward", "subject")}
    form = {**hidden, "body": "For your information.", "action": "send", **fields}
    return page, client.post(page.context["action"], form)


def test_it_passes_on_text_and_attachments_without_copying_a_byte(sent, sender, second_recipient, log_in):
    page, response = forward(log_in(sender), copy_of(sent, sender), to=second_recipient.address)
    assert f"Fwd: {SUBJECT}" in page.text
    assert "report.pdf" in page.text
    assert response.status_code == 302
    passed_on = Message.objects.get(forwards=sent)
    reader, entry = log_in(second_recipient), copy_of(passed_on, second_recipient)
    body = reader.get(reverse("body", args=[entry.id])).text
    assert "For your information." in body
    assert BODY in body
    carried = passed_on.attachments.get()
    assert carried.file_id == sent.attachments.get().file_id
    assert reader.get(reverse("attachment", args=[entry.id, carried.id])).getvalue() == b"the report itself"


def test_its_recipients_count_for_the_licence(sent, sender, second_recipient, log_in):
    forward(log_in(sender), copy_of(sent, sender), to=second_recipient.address)
    assert RecipientUse.objects.filter(sender=sender, address=second_recipient.address).exists()


def test_an_external_reader_forwards_to_the_organisation_only(sent, recipient, colleague, administrator, log_in):
    client, entry = log_in(recipient), copy_of(sent, recipient)
    _page, refused = forward(client, entry, to="else@outside.example")
    assert refused.status_code == 422
    _page, sent_on = forward(client, entry, to=administrator.address)
    assert sent_on.status_code == 302


def test_what_the_definition_forbids_is_absent_and_refused(sent, recipient, log_in):
    Message.objects.update(may_forward=False)
    client, entry = log_in(recipient), copy_of(sent, recipient)
    address = reverse("forward", args=[entry.id])
    assert address not in client.get(reverse("message", args=[entry.id])).text
    assert client.get(address).status_code == 403
    form = {"answers": str(entry.id), "is_forward": "True", "to": "x@north.example", "action": "send"}
    assert client.post(reverse("draft", args=[uuid7()]), form).status_code == 403


@pytest.fixture
def answered(sender, recipient, send, log_in):
    """The sender's own answer to a message that they may not pass on."""
    original = send(recipient, to=sender.address)
    answer(log_in(sender), reply_page(log_in(sender), original, sender))
    return Message.objects.get(in_reply_to=original)


def test_nor_is_what_is_forbidden_got_around_by_answering_first(answered, sender, log_in):
    client, entry = log_in(sender), copy_of(answered, sender)
    address = reverse("forward", args=[entry.id])
    page = client.get(reverse("message", args=[entry.id]))
    assert address not in page.text
    assert "It quotes a message that may not be forwarded." in page.text
    assert not page.context["can_send_to_another"]
    assert not replies.may_forward(openable_entry(sender, entry.id))
    refused = client.get(address)
    assert refused.status_code == 403
    assert "It quotes a message that may not be forwarded." in refused.text
    another = client.post(reverse("send_to_another", args=[entry.id]), {"address": "x@outside.example"}, follow=True)
    assert "It quotes a message that may not be forwarded." in another.text
    assert not Recipient.objects.filter(address="x@outside.example").exists()
    form = {"answers": str(entry.id), "is_forward": "True", "to": "x@north.example", "action": "send"}
    assert client.post(reverse("draft", args=[uuid7()]), form).status_code == 403


def test_whoever_wrote_what_is_quoted_is_held_by_the_answers_rules_alone(answered, recipient, log_in):
    client, entry = log_in(recipient), copy_of(answered, recipient)
    address = reverse("message", args=[entry.id])
    assert not client.get(address).context["can_forward"]
    Message.objects.filter(id=answered.id).update(may_forward=True)
    page = client.get(address)
    assert page.context["can_forward"]
    assert "You may forward this message." in page.text


def test_nor_does_an_authors_answer_to_themselves_loosen_their_rules(sender, recipient, send, log_in):
    sent = send(sender, to=recipient.address)
    answer(log_in(sender), reply_page(log_in(sender), sent, sender))
    again = Message.objects.get(in_reply_to=sent)
    Message.objects.filter(id=again.id).update(may_forward=True)
    own = log_in(sender).get(reverse("message", args=[copy_of(again, sender).id]))
    assert own.context["can_forward"]
    assert "Recipients may: reply, reply to all, print." in own.text
    assert not log_in(recipient).get(reverse("message", args=[copy_of(again, recipient).id])).context["can_forward"]


def test_a_destroyed_quote_forbids_nothing(answered, sender, log_in):
    Quote.objects.update(content=None)
    assert log_in(sender).get(reverse("forward", args=[copy_of(answered, sender).id])).status_code == 200


def test_what_the_page_pays_for_knowing(answered, sender, recipient, send, log_in):
    """One query where there are quotes, none where there are none."""
    client = log_in(sender)

    def queries(message):
        address = reverse("message", args=[copy_of(message, sender).id])
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            client.get(address)
        return len(captured)

    assert queries(answered) == queries(send(sender, to=recipient.address)) + 1


def test_who_may_not_write_new_messages_is_not_told_to_forward(sent, colleague, log_in):
    client, entry = log_in(colleague), copy_of(sent, colleague)
    page = client.get(reverse("message", args=[entry.id])).text
    assert reverse("forward", args=[entry.id]) not in page
    assert "You may forward this message." not in page
    assert client.get(reverse("forward", args=[entry.id])).status_code == 403


def test_a_recall_leaves_what_was_forwarded_and_its_file(sent, sender, recipient, administrator, log_in):
    forward(log_in(recipient), copy_of(sent, recipient), to=administrator.address)
    recall_message(actor=sender, message=sent)
    passed_on = Message.objects.get(forwards=sent)
    entry = copy_of(passed_on, administrator)
    client = log_in(administrator)
    assert BODY in client.get(reverse("body", args=[entry.id])).text
    assert client.get(reverse("attachment", args=[entry.id, passed_on.attachments.get().id])).status_code == 200


def test_an_organisation_may_have_the_quoted_original_destroyed_too(sent, sender, recipient, administrator, log_in):
    forward(log_in(recipient), copy_of(sent, recipient), to=administrator.address)
    sender.organization.recall_destroys_quotes = True
    sender.organization.save()
    recall_message(actor=sender, message=Message.objects.get(id=sent.id))
    passed_on = Message.objects.get(forwards=sent)
    for person in (administrator, recipient):
        body = log_in(person).get(reverse("body", args=[copy_of(passed_on, person).id])).text
        assert "For your information." in body
        assert "The quoted message has been recalled." in body
        assert BODY not in body
    assert not passed_on.attachments.exists()
    assert not Quote.objects.filter(content__isnull=False).exists()
    assert path_of(sent.attachments.get().file_id).exists()  # the author keeps the message


def test_an_unsent_forward_loses_it_in_any_case(sent, sender, recipient, log_in):
    page, _response = forward(log_in(recipient), copy_of(sent, recipient), action="save")
    recall_message(actor=sender, message=sent)
    response = log_in(recipient).post(page.context["action"], {"to": "admin@north.example", "action": "send"})
    assert response.status_code == 422
    assert "has been recalled" in response.text
    assert Attachment.objects.get().message == sent


@pytest.fixture
def recalled_meanwhile(sender, monkeypatch):
    """recalled_meanwhile(message): it is recalled once what is to be quoted has been read."""

    def arrange(message):
        read = replies.quoted

        def quoted(entry):
            quotes = read(entry)
            if not Message.objects.get(id=message.id).is_recalled():
                recall_message(actor=sender, message=message)
            return quotes

        monkeypatch.setattr(replies, "quoted", quoted)

    return arrange


@pytest.mark.parametrize("is_forward", [True, False])
def test_what_is_destroyed_while_it_is_passed_on_again_is_not(
    is_forward, sent, recipient, administrator, write, log_in, recalled_meanwhile
):
    forward(log_in(recipient), copy_of(sent, recipient), to=administrator.address)
    Message.objects.update(may_forward=True)
    Organization.objects.update(recall_destroys_quotes=True)
    passed_on = openable_entry(administrator, copy_of(Message.objects.get(forwards=sent), administrator).id)
    recalled_meanwhile(Message.objects.get(id=sent.id))
    draft = write(administrator, answer=replies.Answer(passed_on, is_forward=is_forward)).message
    assert list(draft.quotes.exclude(content=None).values_list("source", flat=True)) == [passed_on.message_id]
    assert list(draft.quotes.filter(content=None).values_list("source", flat=True)) == [sent.id]
    assert not draft.attachments.exists()


def test_nor_is_what_is_recalled_while_it_is_passed_on(sent, recipient, write, recalled_meanwhile):
    recalled_meanwhile(sent)
    entry = openable_entry(recipient, copy_of(sent, recipient).id)
    draft = write(recipient, answer=replies.Answer(entry, is_forward=True)).message
    assert draft.quotes.get().content is None
    assert not draft.attachments.exists()


def test_discarding_a_forward_keeps_the_shared_file(
    sent, sender, recipient, log_in, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        page, _response = forward(log_in(recipient), copy_of(sent, recipient), action="save")
        discard(log_in(recipient), page.context["action"])
    assert path_of(Attachment.objects.get().file_id).exists()
