"""Search over everybody's messages, and recall of a selection."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from messaging import mass_recall
from messaging.models import MailboxEntry, MassRecall, MassRecallItem, Message
from portal.dates import in_full
from portal.models import AuditEvent

from ..messaging.conftest import BODY, SUBJECT, send, write  # noqa: F401  fixtures
from .conftest import page

URL = page(Message, "changelist")


@pytest.fixture(autouse=True)
def only_those_that_were_sent(north):
    north.recall.delete()
    north.message.delete()


def shown(client, **asked) -> list[str]:
    """To of each line."""
    response = client.get(URL, asked)
    assert response.status_code == 200
    return [to for _row, to, _status in response.context["rows"]]


def age(message: Message, hours: int) -> Message:
    Message.objects.filter(pk=message.pk).update(sent_at=timezone.now() - timedelta(hours=hours))
    return message


def test_the_last_48_hours_are_shown_newest_first(north, sender, send):  # noqa: F811
    age(send(sender, to="old@x.example"), 49)
    age(send(sender, to="two@x.example"), 47)
    send(sender, to="one@x.example", cc="a@x.example", bcc="b@x.example")
    assert shown(north.client) == ["one@x.example and 2 others", "two@x.example"]


def test_any_range_is_searched(north, sender, send):  # noqa: F811
    age(send(sender, to="old@x.example"), 24 * 400)
    send(sender, to="new@x.example")
    assert shown(north.client, start="2001-01-01T00:00") == ["new@x.example", "old@x.example"]
    day = (timezone.now() - timedelta(days=399)).strftime("%Y-%m-%dT%H:%M")
    assert shown(north.client, start="2001-01-01T00:00", end=day) == ["old@x.example"]
    assert (
        "The end is not after the beginning." in north.client.get(URL, {"start": "2999-01-01T00:00"}).content.decode()
    )


def test_sender_recipient_and_status_narrow_it(north, sender, recipient, second_recipient, send):  # noqa: F811
    send(sender, to=recipient.address)
    recalled = send(sender, to=second_recipient.address)
    send(recipient, to=sender.address)
    assert shown(north.client, sender="sender@") == []  # with an @ it is a whole address
    assert len(shown(north.client, sender=sender.address.upper())) == 2
    assert shown(north.client, sender="@outside.example") == [sender.address]
    assert shown(north.client, recipient="secon") == [second_recipient.address]
    mass_recall.order(actor=north.user, organization=north.organization, message_ids=[recalled.id])
    mass_recall.work_off()
    assert shown(north.client, status="recalled") == [second_recipient.address]
    assert len(shown(north.client, status="open")) == 2
    Message.objects.update(expires_at=timezone.now())
    assert len(shown(north.client, status="expired")) == 2


def test_drafts_and_foreign_messages_are_not_there(north, south, sender, write):  # noqa: F811
    write(sender, to="draft@x.example")
    assert shown(north.client, start="2001-01-01T00:00") == []


def test_neither_subject_nor_body_is_on_any_page_or_fetched(north, sender, send, django_assert_num_queries):  # noqa: F811
    message = send(sender, to="a@x.example")
    for url in (URL, page(Message, "change", message.pk), page(Message, "history", message.pk)):
        html = north.client.get(url).content.decode()
        assert SUBJECT not in html
        assert BODY not in html
    response = north.client.get(URL)
    assert {"subject", "body"} <= response.context["rows"][0][0].get_deferred_fields()
    assert "Subjects are not shown" in response.content.decode()


def test_pages_go_by_key_with_a_constant_number_of_queries(north, sender, django_assert_num_queries):
    moment = timezone.now().replace(microsecond=0)
    template = {"organization": north.organization, "sender": sender, "subject": b"", "body": b""}
    key = _a_retention_key(north)
    Message.objects.bulk_create(
        Message(**template, retention_key=key, sent_at=moment - timedelta(seconds=n // 3)) for n in range(120)
    )
    seen = []
    asked: dict = {}
    for _page in range(3):
        with django_assert_num_queries(4):  # the session with its user, role, the clock, the page
            response = north.client.get(URL, asked)
        seen += [row.pk for row, _to, _status in response.context["rows"]]
        asked = {"before": response.context["older_than"]}
    assert asked == {"before": ""}
    assert seen == list(Message.objects.order_by("-sent_at", "-id").values_list("pk", flat=True))


def _a_retention_key(place):
    from portal import keyring, moments

    return keyring.retention_key_for(place.organization, moments.now())


@pytest.mark.parametrize("key", ["nonsense", "2001-01-01_", "2001-01-01T00:00:00+00:00_x", "\x00_"])
def test_a_key_that_is_none_is_the_first_page(north, sender, send, key):  # noqa: F811
    send(sender, to="a@x.example")
    assert shown(north.client, before=key) == ["a@x.example"]


def held(message: Message) -> int:
    return MailboxEntry.objects.filter(message=message, kind="received", wrapped_key__isnull=False).count()


def test_ticked_ones_are_recalled_after_a_confirmation(north, sender, send, events, administrator):  # noqa: F811
    first, second, kept = (send(sender, to=f"{name}@x.example, b@x.example") for name in ("a", "c", "d"))
    ticked = {"message": [first.pk, second.pk]}
    assert "2 messages would be recalled." in north.client.post(URL, ticked).content.decode()
    assert held(first) == 2
    response = north.client.post(URL, ticked | {"confirmed": "yes"}, follow=True)
    assert "2 of 2 done." in response.content.decode()
    assert "from 4 mailboxes" in response.content.decode()
    assert (held(first), held(second), held(kept)) == (0, 0, 2)
    assert (administrator.address, "message.recalled") in events(first)
    selection = MassRecall.objects.get()
    assert [action for _who, action in events(selection)] == ["mass_recall.ordered", "mass_recall.finished"]


def test_all_that_the_search_finds_is_recalled(north, sender, send):  # noqa: F811
    wanted, other = send(sender, to="wanted@x.example"), send(sender, to="other@y.example")
    response = north.client.post(f"{URL}?recipient=@x.example", {"all": "yes"})
    assert "1 message would be recalled." in response.content.decode()
    late = send(sender, to="late@x.example")  # after the question
    posted = {"all": "yes", "confirmed": "yes", "asked_at": response.context["asked_at"]}
    north.client.post(response.context["action"], posted)
    assert (held(wanted), held(other), held(late)) == (0, 1, 1)


def test_thousands_are_confirmed_by_a_form_of_a_few_fields(north, sender):
    template = {"organization": north.organization, "sender": sender, "subject": b"", "body": b""}
    key, moment = _a_retention_key(north), timezone.now()
    Message.objects.bulk_create(Message(**template, retention_key=key, sent_at=moment) for _n in range(1500))
    response = north.client.post(URL, {"all": "yes"})
    assert "1500 messages would be recalled." in response.content.decode()
    assert response.content.decode().count("<input") < 10
    posted = {"all": "yes", "confirmed": "yes", "asked_at": response.context["asked_at"]}
    north.client.post(response.context["action"], posted)
    assert mass_recall.progress(MassRecall.objects.get()).total == 1500


def test_many_people_are_searched_for_as_well(north, sender, recipient, send, monkeypatch):  # noqa: F811
    from messaging import traffic

    monkeypatch.setattr(traffic, "FEW_PEOPLE", 0)
    send(sender, to=recipient.address)
    assert shown(north.client, recipient=recipient.address, sender="@north.example") == [recipient.address]


def test_foreign_and_unsent_ones_are_not_recalled(north, south, sender, write):  # noqa: F811
    draft = write(sender, to="a@x.example")
    posted = {"message": [south.message.pk, draft.message_id, "nonsense"], "confirmed": "yes"}
    response = north.client.post(URL, posted, follow=True)
    assert "Nothing is selected." in response.content.decode()
    assert not MassRecallItem.objects.exists()
    south.message.refresh_from_db()
    assert south.message.recalled_at is None


def test_many_are_the_workers_and_the_page_tells_how_far_it_is(north, sender, send, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mass_recall, "AT_ONCE", 1)
    sent = [send(sender, to="a@x.example") for _n in range(3)]
    posted = {"message": [message.pk for message in sent], "confirmed": "yes"}
    html = north.client.post(URL, posted, follow=True).content.decode()
    assert "1 of 3 done." in html
    assert "It goes on without this page." in html
    assert sum(map(held, sent)) == 2
    assert ">1 of 3 done</td>" in north.client.get(page(MassRecall, "changelist")).content.decode()
    mass_recall.work_off()
    assert ">3 of 3 done</td>" in north.client.get(page(MassRecall, "changelist")).content.decode()
    html = north.client.get(page(MassRecall, "change", MassRecall.objects.get().pk)).content.decode()
    assert "3 of 3 done." in html
    assert "Finished." in html
    assert sum(map(held, sent)) == 0


def test_it_goes_on_where_it_was_broken_off_and_does_nothing_twice(north, sender, send):  # noqa: F811
    sent = [send(sender, to="a@x.example") for _n in range(3)]
    selection = mass_recall.order(
        actor=north.user, organization=north.organization, message_ids=[message.id for message in sent]
    )
    assert mass_recall.work_off(limit=2) == 2
    assert MassRecall.objects.get().finished_at is None
    assert mass_recall.work_off() == 1
    assert mass_recall.work_off() == 0
    assert mass_recall.progress(selection).recalled == 3
    assert AuditEvent.objects.filter(action="message.recalled").count() == 3
    assert AuditEvent.objects.filter(action="mass_recall.finished").count() == 1


def test_what_failed_is_tried_again_and_nothing_else(north, sender, send, monkeypatch, events):  # noqa: F811
    sent = [send(sender, to="a@x.example") for _n in range(3)]
    recall_message = mass_recall.recall_message

    def fails_once(*, actor, message):
        if message.pk == sent[1].pk:
            raise RuntimeError("a fault")
        return recall_message(actor=actor, message=message)

    monkeypatch.setattr(mass_recall, "recall_message", fails_once)
    selection = mass_recall.order(
        actor=north.user, organization=north.organization, message_ids=[message.id for message in sent]
    )
    mass_recall.work_off()
    assert (mass_recall.progress(selection).recalled, mass_recall.progress(selection).failed) == (2, 1)
    monkeypatch.undo()
    assert ">3 of 3 done, 1 failed</td>" in north.client.get(page(MassRecall, "changelist")).content.decode()
    address = page(MassRecall, "change", selection.pk)
    html = north.client.get(address).content.decode()
    assert "Try those that failed again" in html
    assert f"From {sender.address}, sent " in html  # which one, in words
    assert f">{sent[1].pk}<" not in html
    response = north.client.post(page(MassRecall, "retry", selection.pk), follow=True)
    html = response.content.decode()
    assert "1 message was tried again." in html
    assert "Try those that failed again" not in html
    assert (mass_recall.progress(selection).recalled, mass_recall.progress(selection).failed) == (3, 0)
    assert AuditEvent.objects.filter(action="message.recalled").count() == 3
    assert [action for _who, action in events(selection)] == [
        "mass_recall.ordered",
        "mass_recall.finished",
        "mass_recall.retried",
        "mass_recall.finished",
    ]


def test_what_was_recalled_before_is_told_apart(north, sender, send):  # noqa: F811
    from messaging.recall import recall_message

    message = send(sender, to="a@x.example")
    recall_message(actor=sender, message=message)
    selection = mass_recall.order(actor=north.user, organization=north.organization, message_ids=[message.id])
    mass_recall.work_off()
    outcome = mass_recall.progress(selection)
    assert (outcome.total, outcome.recalled, outcome.before, outcome.done) == (1, 0, 1, 1)


def test_more_than_can_be_done_at_once_is_refused(north, sender, send, monkeypatch):  # noqa: F811
    monkeypatch.setattr(mass_recall, "MOST_MESSAGES", 1)
    for _n in range(2):
        send(sender, to="a@x.example")
    response = north.client.post(URL, {"all": "yes", "confirmed": "yes"}, follow=True)
    assert "Please narrow the search." in response.content.decode()
    assert not MassRecall.objects.exists()


@pytest.mark.parametrize(
    ("destroys", "words"), [(True, "what they quote of it is destroyed too"), (False, "with what they quote of it")]
)
def test_what_becomes_of_quotes_is_said_beforehand(north, sender, send, destroys, words):  # noqa: F811
    message = send(sender, to="a@x.example")
    type(north.organization).objects.filter(pk=north.organization.pk).update(recall_destroys_quotes=destroys)
    assert words in north.client.post(URL, {"message": [message.pk]}).content.decode()


def test_from_a_message_one_comes_back_to_the_search(north, sender, send):  # noqa: F811
    send(sender, to="a@x.example")
    asked = f"{URL}?sender=%40north.example"
    way = re.search(r'href="([^"]*/change/[^"]*)"', north.client.get(asked).content.decode())
    assert way
    assert f'<a class="closelink" href="{asked}">' in north.client.get(way[1]).content.decode()


def test_the_history_of_a_message_says_which_without_its_id(north, sender, send):  # noqa: F811
    message = send(sender, to="a@x.example")
    html = north.client.get(page(Message, "history", message.pk)).content.decode()
    assert f"<h2>{sender.address}, {in_full(message.sent_at)}</h2>" in html
    assert f">{message.pk}<" not in html


def test_the_page_of_a_message_says_what_became_of_it_at_each_recipient(north, sender, recipient, send):  # noqa: F811
    message = send(sender, to=recipient.address, bcc="hidden@x.example")
    html = north.client.get(page(Message, "change", message.pk)).content.decode().replace("<wbr>", "")
    for words in (sender.address, recipient.address, "hidden@x.example", "Notification waiting", "Read by 0 of 2"):
        assert words in html
