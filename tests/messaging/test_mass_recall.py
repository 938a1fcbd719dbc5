"""Workers that recall one selection at the same moment, or die over it."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from messaging import access, mass_recall, undo
from messaging.models import MailboxEntry, MassRecall, MassRecallItem, Message
from messaging.recall import recall_message
from portal.models import AuditEvent

from .conftest import discard
from .test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(sender, send) -> list:
    return [send(sender, to=f"a{n}@x.example, b@x.example") for n in range(6)]


@pytest.fixture
def selection(administrator, sent) -> MassRecall:
    ids = [message.id for message in sent]
    return mass_recall.order(actor=administrator, organization=administrator.organization, message_ids=ids)


def held() -> int:
    return MailboxEntry.objects.filter(kind="received", wrapped_key__isnull=False).count()


def test_two_workers_share_it_and_do_nothing_twice(selection):
    taken = at_once(mass_recall.work_off, mass_recall.work_off)
    mass_recall.work_off()  # whoever came last may have left the closing to this one
    assert sum(taken) == 6
    assert held() == 0
    outcome = mass_recall.progress(selection)
    assert (outcome.recalled, outcome.copies) == (6, 12)
    assert AuditEvent.objects.filter(action="message.recalled").count() == 6
    assert AuditEvent.objects.filter(action="mass_recall.finished").count() == 1


def test_an_author_who_recalls_at_the_same_moment(selection, sender, sent):
    at_once(mass_recall.work_off, lambda: recall_message(actor=sender, message=sent[0]))
    mass_recall.work_off()
    outcome = mass_recall.progress(selection)
    assert outcome.recalled + outcome.before == 6
    assert AuditEvent.objects.filter(action="message.recalled").count() == 6


def test_a_worker_that_is_killed_leaves_the_rest_to_the_next(selection):
    mass_recall.work_off(limit=2)
    with pytest.raises(KeyboardInterrupt), transaction.atomic():
        assert mass_recall.work_off(limit=1) == 1
        raise KeyboardInterrupt  # before the commit of the third
    assert held() == 8
    mass_recall.work_off()
    assert held() == 0
    assert mass_recall.progress(selection).recalled == 6
    assert AuditEvent.objects.filter(action="message.recalled").count() == 6


@pytest.fixture
def undone(selection, sender, sent) -> Message:
    """One of the selection, a draft again before its turn."""
    MailboxEntry.objects.filter(message=sent[0], kind="received").update(visible_at=timezone.now() + timedelta(hours=1))
    own = MailboxEntry.objects.get(message=sent[0], owner=sender)
    return undo.undo_sending(actor=sender, entry=access.sent_entry(sender, own.id))


def test_a_message_whose_sending_is_undone_meanwhile_stays_a_draft(selection, undone, sender):
    mass_recall.work_off()
    outcome = mass_recall.progress(selection)
    assert (outcome.recalled, outcome.before, outcome.failed) == (5, 1, 0)
    assert access.draft_entry(sender, undone.id).message.recalled_at is None


@pytest.mark.parametrize("when", ["before its turn", "after it", "after it had failed"])
def test_its_draft_can_be_discarded(when, selection, undone, sender, administrator, log_in):
    if when != "before its turn":
        mass_recall.work_off()
    if when == "after it had failed":
        selection.items.filter(message=undone).update(outcome=MassRecallItem.Outcome.FAILED)
    discard(log_in(sender), reverse("draft", args=[undone.id]))
    assert not Message.objects.filter(id=undone.id).exists()
    page = reverse("admin:messaging_massrecall_change", args=[selection.id])
    assert log_in(administrator).get(page).status_code == 200
    mass_recall.retry(actor=administrator, selection=selection)
    mass_recall.work_off()
    assert mass_recall.progress(selection).before == 1
