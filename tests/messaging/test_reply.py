from datetime import timedelta

import pytest
from django.db.models import F
from django.urls import reverse

from accounts import renaming
from accounts.models import User
from messaging import definitions, erasing, replies, resending
from messaging.access import openable_entry, sent_entry
from messaging.models import MailboxEntry, Message, Quote, Recipient
from messaging.recall import recall_for_recipient
from portal.ids import uuid7
from portal.models import Organization

from .conftest import BODY, SUBJECT, copy_of


@pytest.fixture
def sent(sender, recipient, second_recipient, colleague, send):
    return send(sender, to=recipient.address, cc=second_recipient.address, bcc=colleague.address)


def answer(client, page, **fields):
    """Send what the page's form would send."""
    hidden = {name: page.context["form"].initial[name] for name in ("answers", "to_all", "subject")}
    form = {**hidden, "body": "An answer.", "body_format": "plain", "action": "send", **fields}
    return client.post(page.context["action"], form)


def reply_page(client, message, person, verb="reply"):
    return client.get(reverse(verb, args=[copy_of(message, person).id]))


def recipients_of(message):
    return {(r.role, r.address) for r in Recipient.objects.filter(message=message)}


def test_reply_goes_to_the_sender(sent, recipient, sender, log_in):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    assert f"Re: {SUBJECT}" in page.text
    assert BODY in page.text
    assert answer(client, page).status_code == 302
    reply = Message.objects.get(in_reply_to=sent)
    assert recipients_of(reply) == {("to", sender.address)}
    assert Recipient.objects.get(message=sent, user=recipient).answered_at is not None


def test_reply_all_goes_to_everyone_but_bcc_and_oneself(sent, recipient, second_recipient, sender, log_in):
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient, "reply_all"))
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {
        ("to", sender.address),
        ("cc", second_recipient.address),
    }


def test_reply_all_goes_to_the_addresses_of_today(sent, sender, recipient, second_recipient, administrator, log_in):
    old = second_recipient.address
    renaming.rename(actor=administrator, user=second_recipient, address="new@elsewhere.example")
    client = log_in(recipient)
    page = reply_page(client, sent, recipient, "reply_all")
    assert answer(client, page).status_code == 302
    reply = Message.objects.get(in_reply_to=sent)
    assert recipients_of(reply) == {("to", sender.address), ("cc", "new@elsewhere.example")}
    assert copy_of(reply, second_recipient).kind == "received"
    assert not User.objects.filter(address=old).exists()
    assert old in page.context["quotes"][0]["cc"][0]  # the history of what is quoted stays


def test_whoever_got_another_address_does_not_answer_themselves(sent, recipient, sender, administrator, log_in):
    renaming.rename(actor=administrator, user=recipient, address="new@outside.example")
    client = log_in(User.objects.get(pk=recipient.pk))
    answer(client, reply_page(client, sent, recipient, "reply_all"))
    reply = Message.objects.get(in_reply_to=sent)
    assert {address for _role, address in recipients_of(reply)} == {sender.address, "second@elsewhere.example"}


@pytest.mark.parametrize("who", ["recipient", "colleague", "licensed"])
def test_one_begun_before_a_rename_goes_to_the_address_of_today(
    who, sender, recipient, colleague, administrator, make_user, send, log_in
):
    others = {"recipient": recipient, "colleague": colleague}
    author = others.get(who) or make_user(sender.organization, "other@north.example", is_licensed=True)
    sent = send(sender, to=author.address)
    client = log_in(author)
    page = reply_page(client, sent, author)
    answer(client, page, action="save")
    old = sender.address
    renaming.rename(actor=administrator, user=sender, address="married@north.example")
    assert "married@north.example" in client.get(page.context["action"]).text
    done = client.post(page.context["action"], {"subject": "Re", "body": "An answer.", "action": "send"})
    assert done.url == reverse("sent")
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", "married@north.example")}
    assert not User.objects.filter(address=old).exists()


def test_nor_does_one_begun_before_go_to_whoever_is_erased(
    sent, recipient, sender, second_recipient, administrator, log_in
):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient, "reply_all")
    answer(client, page, action="save")
    erasing.order(actor=administrator, user=second_recipient)
    assert client.post(page.context["action"], {"subject": "Re", "body": "Yes.", "action": "send"}).status_code == 302
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}


def test_while_one_writes_to_them_they_are_erased_and_the_text_is_kept(sender, recipient, administrator, send, log_in):
    sent = send(sender, to=recipient.address)
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    erasing.order(actor=administrator, user=sender)
    assert answer(client, page, action="autosave").json()["url"] == page.context["action"]
    refused = answer(client, page, action="send")
    assert refused.status_code == 422
    assert "There is nobody left to reply to." in refused.text
    assert "An answer." in refused.text
    letter = client.get(reverse("message", args=[copy_of(sent, recipient).id]))
    assert "There is nobody left to reply to." in letter.text
    assert "You may reply" not in letter.text


def test_its_recipients_stay_when_they_may_be_changed_from_now_on(sent, sender, recipient, log_in):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    answer(client, page, action="save")
    Organization.objects.update(replies_may_change_recipients=True)
    # The page has no fields for them.
    assert client.post(page.context["action"], {"subject": "Re", "body": "Yes.", "action": "send"}).status_code == 302
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}


def test_nobody_answers_who_is_erased(sent, sender, recipient, second_recipient, administrator, log_in):
    erasing.order(actor=administrator, user=second_recipient)
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient, "reply_all"))
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}


@pytest.mark.parametrize("author", ["sender", "second_recipient"])
def test_nobody_gets_back_what_was_recalled_from_them(author, sent, sender, recipient, log_in, request):
    recall_for_recipient(actor=sender, recipient=Recipient.objects.get(message=sent, user=recipient))
    person = request.getfixturevalue(author)
    client = log_in(person)
    answer(client, reply_page(client, sent, person, "reply_all"))
    (reply,) = Message.objects.filter(in_reply_to=sent)
    assert not reply.recipients.filter(user=recipient).exists()
    assert reply.recipients.exists()


def test_where_the_sender_is_erased_the_others_can_be_answered(sent, sender, recipient, administrator, log_in):
    erasing.order(actor=administrator, user=sender)
    client, entry = log_in(recipient), copy_of(sent, recipient)
    page = client.get(reverse("message", args=[entry.id]))
    assert (page.context["can_reply"], page.context["can_reply_all"]) == (False, True)
    assert client.get(reverse("reply", args=[entry.id])).status_code == 403
    answer(client, reply_page(client, sent, recipient, "reply_all"))
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("cc", "second@elsewhere.example")}


@pytest.mark.parametrize("readers", [2, 20])
def test_whom_a_reply_goes_to_is_one_query(readers, sender, recipient, send, django_assert_num_queries):
    others = ", ".join(f"other{n}@outside.example" for n in range(readers))
    sent = send(sender, to=f"{recipient.address}, {others}")
    answered = openable_entry(recipient, copy_of(sent, recipient).id).message
    with django_assert_num_queries(1):
        assert len(replies.recipients(answered, recipient, to_all=True)["to"]) == readers + 1


def test_a_long_list_of_readers_says_whom_it_begins_with(sender, recipient, send, log_in):
    others = ", ".join(f"other{n}@outside.example" for n in range(8))
    sent = send(sender, to=f"{recipient.address}, {others}")
    client = log_in(recipient)
    page = reply_page(client, sent, recipient, "reply_all")
    assert f"<summary>{sender.address} and 8 others</summary>" in page.text
    assert answer(client, page, action="save").status_code == 302
    draft = client.get(page.context["action"])
    assert f"<summary>{sender.address} and 8 others</summary>" in draft.text


def test_a_bcc_reader_is_not_revealed_by_the_others(sent, colleague, recipient, log_in):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient, "reply_all")
    assert colleague.address not in page.text
    answer(client, page)
    assert not Recipient.objects.filter(message__in_reply_to=sent, user=colleague).exists()


def test_a_bcc_reader_does_not_reveal_themselves_to_everybody(sent, colleague, sender, log_in):
    client, entry = log_in(colleague), copy_of(sent, colleague)
    address = reverse("reply_all", args=[entry.id])
    page = client.get(reverse("message", args=[entry.id])).text
    assert address not in page
    assert "You may reply to the sender only." in page
    assert client.get(address).status_code == 403
    form = {"answers": str(entry.id), "to_all": "True", "body": "Hi", "action": "send"}
    assert client.post(reverse("draft", args=[uuid7()]), form).status_code == 403
    Message.objects.update(may_reply=False)
    assert "Replies are not allowed." in client.get(reverse("message", args=[entry.id])).text


def test_recipients_cannot_be_changed(sent, recipient, sender, log_in):
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient), to="else@outside.example", bcc="spy@outside.example")
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}


def test_recipients_cannot_be_changed_in_the_draft_either(sent, recipient, sender, log_in):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    answer(client, page, action="save")
    answer(client, page, to="else@outside.example")
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}


def test_the_author_writes_to_the_recipients_again(sent, sender, recipient, log_in):
    client = log_in(sender)
    answer(client, reply_page(client, sent, sender))
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", recipient.address)}


def test_the_author_writes_to_cc_again_where_to_is_empty(sender, recipient, send, log_in):
    sent = send(sender, cc=recipient.address)
    client = log_in(sender)
    assert answer(client, reply_page(client, sent, sender)).status_code == 302
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("cc", recipient.address)}


def test_whom_it_was_sent_on_to_since_is_not_answered_unseen(sent, sender, recipient, second_recipient, log_in):
    Message.objects.update(sent_at=F("sent_at") - timedelta(minutes=2))
    client, late = log_in(recipient), "late@outside.example"
    page = reply_page(client, sent, recipient, "reply_all")
    answer(client, page, action="save")
    resending.send_to_another(actor=sender, entry=sent_entry(sender, copy_of(sent, sender).id), typed=late)
    address = page.context["action"]
    assert late not in client.get(address).text
    assert client.post(address, {"subject": "Re", "body": "b", "action": "send"}).url == reverse("sent")
    assert {address for _role, address in recipients_of(Message.objects.get(in_reply_to=sent))} == {
        sender.address,
        second_recipient.address,
    }
    assert late in reply_page(client, sent, recipient, "reply_all").text


@pytest.mark.parametrize("kind", ["sent", "received"])
def test_an_author_who_is_a_reader_too_answers_the_others(kind, sender, recipient, send, log_in):
    sent = send(sender, to=f"{sender.address}, {recipient.address}", cc=sender.address)
    entry = MailboxEntry.objects.get(message=sent, owner=sender, kind=kind)
    client = log_in(sender)
    assert answer(client, client.get(reverse("reply_all", args=[entry.id]))).status_code == 302
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", recipient.address)}


def test_where_all_are_hidden_the_author_has_nobody_to_write_to_again(sender, recipient, send, log_in):
    sent = send(sender, bcc=recipient.address)
    client, entry = log_in(sender), copy_of(sent, sender)
    page = client.get(reverse("message", args=[entry.id]))
    for verb in ("reply", "reply_all"):
        assert reverse(verb, args=[entry.id]) not in page.text
        assert reply_page(client, sent, sender, verb).status_code == 403
    response = client.post(reverse("draft", args=[uuid7()]), {"answers": str(entry.id), "body": "Hi", "action": "send"})
    assert response.status_code == 422
    assert "There is nobody left to reply to." in response.text
    assert log_in(recipient).get(reverse("reply", args=[copy_of(sent, recipient).id])).status_code == 200


def test_an_author_among_the_hidden_answers_themselves(sender, recipient, send, log_in):
    sent = send(sender, bcc=f"{sender.address}, {recipient.address}")
    copies = MailboxEntry.objects.filter(message=sent, owner=sender)
    client, received = log_in(sender), copies.get(kind="received")
    address = reverse("reply", args=[received.id])
    assert address in client.get(reverse("message", args=[received.id])).text
    assert answer(client, client.get(address)).status_code == 302
    assert recipients_of(Message.objects.get(in_reply_to=sent)) == {("to", sender.address)}
    assert not replies.may_reply(copies.get(kind="sent"), to_all=False)


def test_an_unlicensed_colleague_may_reply(sent, colleague, log_in):
    client = log_in(colleague)
    assert answer(client, reply_page(client, sent, colleague)).status_code == 302
    assert Message.objects.filter(in_reply_to=sent, sent_at__isnull=False).exists()


def test_quotes_are_rows_with_their_source_nested_ones_too(sent, sender, recipient, log_in):
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient))
    first = Message.objects.get(in_reply_to=sent)
    author = log_in(sender)
    page = reply_page(author, first, sender)
    assert "An answer." in page.text
    assert BODY in page.text
    answer(author, page, body="And one back.")
    second = Message.objects.get(in_reply_to=first)
    assert list(Quote.objects.filter(message=second).values_list("source", flat=True)) == [first.id, sent.id]
    body = log_in(recipient).get(reverse("body", args=[copy_of(second, recipient).id])).text
    assert body.index("And one back.") < body.index("An answer.") < body.index(BODY)


@pytest.fixture
def exchange(sender, colleague, send):
    """exchange(number, body=…): a message of the sender's, answered by themselves so many times; the last answer."""

    def write(number, **fields):
        message = send(sender, to=colleague.address, **fields)
        for _each in range(number):
            answered = openable_entry(sender, copy_of(message, sender).id)
            message = send(sender, answer=replies.Answer(answered), **fields)
        return message

    return write


@pytest.mark.parametrize("limit", ["number", "characters"])
def test_of_a_long_exchange_the_newest_are_quoted(limit, exchange, sender, colleague, log_in, monkeypatch):
    monkeypatch.setattr(replies, "MAX_QUOTES", 3 if limit == "number" else 40)
    monkeypatch.setattr(replies, "MAX_QUOTED_CHARACTERS", 400 if limit == "characters" else 8_000)
    whole, cut = exchange(3, body="x" * 90), exchange(5, body="x" * 90)
    assert (whole.quotes.count(), cut.quotes.count()) == (3, 3)
    left_out = "Older messages are left out here."
    for message, times in ((whole, 0), (cut, 1)):
        for name in ("body", "print_sheet"):
            page = log_in(colleague).get(reverse(name, args=[copy_of(message, colleague).id])).text
            assert page.count(left_out) == times
    own = copy_of(cut, sender)
    assert left_out in b"".join(log_in(sender).get(reverse("download", args=[own.id])).streaming_content).decode()


def test_a_message_is_quoted_however_long_it_is(exchange, monkeypatch):
    monkeypatch.setattr(replies, "MAX_QUOTED_CHARACTERS", 10)
    assert exchange(2).quotes.count() == 1


def test_what_is_left_out_is_said_where_the_last_one_is_destroyed(exchange, sender, colleague, log_in, monkeypatch):
    monkeypatch.setattr(replies, "MAX_QUOTES", 2)
    answered = exchange(2)
    answered.quotes.filter(position=0).update(content=None)
    last = replies.quoted(openable_entry(sender, copy_of(answered, sender).id))
    assert [(bool(quote.get("destroyed")), bool(quote.get("cut"))) for quote in last] == [(False, True), (True, False)]


def test_what_the_definition_forbids_is_absent_and_refused(sent, recipient, log_in):
    Message.objects.update(may_reply=False, may_reply_all=False)
    client, entry = log_in(recipient), copy_of(sent, recipient)
    page = client.get(reverse("message", args=[entry.id]))
    assert reverse("reply", args=[entry.id]) not in page.text
    assert "Replies are not allowed." in page.text
    assert client.get(reverse("reply", args=[entry.id])).status_code == 403
    response = client.post(reverse("draft", args=[uuid7()]), {"answers": str(entry.id), "body": "Hi", "action": "send"})
    assert response.status_code == 403
    assert not Message.objects.filter(in_reply_to=sent).exists()


def test_a_reply_has_the_default_definition(sent, recipient, organization, log_in):
    client = log_in(recipient)
    answer(client, reply_page(client, sent, recipient))
    assert Message.objects.get(in_reply_to=sent).definition == definitions.default_for(organization)


def test_somebody_elses_message_cannot_be_answered(sent, recipient, stranger, log_in):
    client = log_in(stranger)
    entry = copy_of(sent, recipient)
    assert client.get(reverse("reply", args=[entry.id])).status_code == 404
    response = client.post(reverse("draft", args=[uuid7()]), {"answers": str(entry.id), "body": "Hi", "action": "send"})
    assert response.status_code == 404
