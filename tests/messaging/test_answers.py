"""What becomes of an answer when what it answers is gone, and to whom it may go."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging import definitions, licences, recall
from messaging.models import Message, Recipient
from portal.models import Organization

from .conftest import BODY
from .test_reply import answer, recipients_of, reply_page


@pytest.fixture
def sent(sender, recipient, second_recipient, colleague, send):
    return send(sender, to=recipient.address, cc=second_recipient.address, bcc=colleague.address)


def test_what_is_answered_being_gone_the_text_is_kept(sent, recipient, sender, log_in):
    """Opened, recalled, written, sent: the answer goes nowhere, and is not lost."""
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    recall.recall_message(actor=sender, message=sent)
    kept = client.get(answer(client, page).url)
    assert "What you were answering can be opened no more" in kept.text
    assert "An answer." in kept.text
    assert BODY not in kept.text
    assert Message.objects.filter(sent_at__isnull=False).count() == 1


def test_autosave_says_that_what_is_answered_is_gone(sent, recipient, sender, log_in):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    Message.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    told = answer(client, page, action="autosave").json()
    assert "can be opened no more" in told["warning"]
    assert "An answer." in client.get(told["url"]).text


@pytest.mark.parametrize("how", ["expired", "recalled", "recalled for this one"])
def test_a_draft_shows_what_it_answers_no_longer_than_its_author_may_read_it(sent, recipient, sender, log_in, how):
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    answer(client, page, action="save")
    assert BODY in client.get(page.context["action"]).text
    if how == "expired":
        Message.objects.filter(pk=sent.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "recalled":
        recall.recall_message(actor=sender, message=sent)
    else:
        recall.recall_for_recipient(actor=sender, recipient=Recipient.objects.get(message=sent, user=recipient))
    draft = client.get(page.context["action"])
    assert BODY not in draft.text
    assert f"The quoted message has {'expired' if how == 'expired' else 'been recalled'}." in draft.text
    found = client.post(reverse("search"), {"words": "nobody but you"}, follow=True)
    assert found.context["hits"] == []


def test_where_the_organisation_allows_it_recipients_can_be_changed(sent, recipient, sender, colleague, log_in):
    Organization.objects.update(replies_may_change_recipients=True)
    Message.objects.update(may_forward=True)
    client = log_in(recipient)
    page = reply_page(client, sent, recipient)
    assert f'name="to" value="{sender.address}"' in page.text
    answer(client, page, to=colleague.address)
    reply = Message.objects.get(in_reply_to=sent)
    assert recipients_of(reply) == {("to", colleague.address)}
    assert reply.definition == definitions.default_for(sender.organization)


def test_nobody_is_taken_in_where_the_original_may_not_be_forwarded(sent, recipient, sender, colleague, log_in):
    Organization.objects.update(replies_may_change_recipients=True)
    Message.objects.update(may_forward=False)
    client = log_in(recipient)
    refused = answer(client, reply_page(client, sent, recipient), to=f"{sender.address}, new@north.example")
    assert refused.status_code == 422
    assert "It quotes a message that may not be forwarded." in refused.text
    assert answer(client, reply_page(client, sent, recipient), to=sender.address).status_code == 302


def test_whom_one_takes_in_counts_as_in_a_new_message(sent, recipient, second_recipient, sender, colleague, log_in):
    """External people write to the organisation's own, who has no licence to those on the message; a licence counts."""
    Organization.objects.update(replies_may_change_recipients=True)
    Message.objects.update(may_forward=True)
    for person, added in ((recipient, "new@outside.example"), (colleague, "new@outside.example")):
        client = log_in(person)
        refused = answer(client, reply_page(client, sent, person), to=f"{sender.address}, {added}")
        assert refused.status_code == 422
        assert not Message.objects.filter(in_reply_to=sent, sent_at__isnull=False).exists()
    client = log_in(colleague)
    assert answer(client, reply_page(client, sent, colleague), to=second_recipient.address).status_code == 302
    used = licences.usage(sender, licences.month_of(sender, timezone.now())).used
    client = log_in(sender)
    answer(
        client,
        reply_page(client, sent, sender),
        to=f"{recipient.address}, new@outside.example",
        action="send",
    )
    assert licences.usage(sender, licences.month_of(sender, timezone.now())).used == used + 1
