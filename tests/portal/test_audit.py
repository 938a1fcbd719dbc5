"""The audit log's chain: linked by the clock, verified, and broken by whoever touches it."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from portal import audit, moments
from portal.ids import uuid7
from portal.models import AuditEvent, AuditLink, Organization
from portal.tasks import link_audit_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(organization) -> list[AuditEvent]:
    """Five events, in the order in which they are linked."""
    for number in range(5):
        audit.record(organization, "message.read", about=uuid7(), copies=number)
    audit.link_all()
    return [link.event for link in AuditLink.objects.order_by("sequence")]


def test_an_event_says_who_did_what(organization, sender):
    about = uuid7()
    audit.record(organization, "message.recalled", actor=sender, about=about, inboxes=3)
    event = AuditEvent.objects.get()
    assert (event.organization, event.action, event.about) == (organization, "message.recalled", about)
    assert (event.actor_id, event.actor_address, event.details) == (sender.id, "sender@north.example", {"inboxes": 3})


def test_an_event_of_a_rolled_back_transaction_never_was(organization):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        audit.record(organization, "message.sent")
        raise ZeroDivisionError
    assert not AuditEvent.objects.exists()


def test_the_clock_links_every_organisations_events(organization, other_organization):
    for place in (organization, other_organization, organization):
        audit.record(place, "log_in.succeeded")
    link_audit_events()
    assert list(
        AuditLink.objects.order_by("organization__slug", "sequence").values_list("organization__slug", "sequence")
    ) == [
        ("north", 1),
        ("north", 2),
        ("south", 1),
    ]
    audit.record(organization, "log_in.succeeded")
    assert audit.link_all() == 1
    assert audit.verify(organization) == audit.Verification(
        links=3,
        head=bytes(AuditLink.objects.get(organization=organization, sequence=3).hash),
        broken_at=None,
        why="",
        missing=[],
    )


def test_a_long_backlog_is_linked_in_one_go(organization):
    AuditEvent.objects.bulk_create(
        [AuditEvent(organization=organization, at=moments.now(), action="message.read") for _ in range(1100)]
    )
    assert audit.link_all() == 1100
    assert audit.verify(organization).intact


def test_an_event_from_a_clock_far_behind_is_found_by_the_hourly_look(organization, chain):
    behind = uuid7().int - (int(timedelta(days=1).total_seconds() * 1000) << 80)
    AuditEvent.objects.create(id=UUID(int=behind), organization=organization, at=moments.now(), action="a.b")
    assert audit.link_all() == 0
    link_audit_events(everything=True)
    assert audit.verify(organization).links == 6


def test_a_clock_far_ahead_does_not_hide_other_events(organization):
    ahead = uuid7().int + (int(timedelta(days=1).total_seconds() * 1000) << 80)
    AuditEvent.objects.create(id=UUID(int=ahead), organization=organization, at=moments.now(), action="a.b")
    audit.link_all()
    audit.record(organization, "message.read")
    assert audit.link_all() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"action": "message.sent"},
        {"actor_address": "somebody@else.example"},
        {"details": {"copies": 999}},
        {"at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"about": None},
        {"actor_id": uuid7()},
    ],
)
def test_a_changed_event_breaks_the_chain_there(organization, chain, change):
    AuditEvent.objects.filter(pk=chain[2].pk).update(**change)
    found = audit.verify(organization)
    assert (found.links, found.broken_at) == (2, 3)
    assert str(chain[2].pk) in found.why


def test_a_removed_event_breaks_the_chain_there(organization, chain):
    AuditLink.objects.filter(event=chain[2]).delete()
    AuditEvent.objects.filter(pk=chain[2].pk).delete()
    found = audit.verify(organization)
    assert (found.broken_at, found.why) == (3, "the link or its event is gone")


def test_an_event_moved_to_another_organisation_breaks_the_chain(organization, other_organization, chain):
    AuditEvent.objects.filter(pk=chain[0].pk).update(organization=other_organization)
    assert audit.verify(organization).broken_at == 1


def test_links_cannot_be_exchanged(organization, chain):
    first, second = AuditLink.objects.filter(sequence__in=[1, 2]).order_by("sequence")
    AuditLink.objects.filter(pk=first.pk).update(sequence=99)
    AuditLink.objects.filter(pk=second.pk).update(sequence=1)
    AuditLink.objects.filter(pk=first.pk).update(sequence=2)
    assert audit.verify(organization).broken_at == 1


def test_a_chain_computed_anew_after_a_change_no_longer_leads_to_the_head(organization, chain):
    head = audit.verify(organization).head
    AuditEvent.objects.filter(pk=chain[2].pk).update(action="message.sent")
    AuditLink.objects.all().delete()
    audit.link_all()
    found = audit.verify(organization)
    assert found.intact
    assert found.head != head


def test_one_place_in_the_chain_is_taken_once(organization, chain):
    event = audit.record(organization, "message.read")
    with pytest.raises(IntegrityError), transaction.atomic():
        AuditLink.objects.create(
            event=event, organization=organization, sequence=5, previous_hash=audit.GENESIS, hash=audit.GENESIS
        )


def test_an_event_is_missing_after_a_minute(organization, chain):
    event = audit.record(organization, "message.read")
    assert audit.verify(organization).intact
    AuditEvent.objects.filter(pk=event.pk).update(at=moments.now() - timedelta(seconds=61))
    found = audit.verify(organization)
    assert not found.intact
    assert found.missing == [event.pk]


def test_the_command_says_that_all_is_well(organization, other_organization, chain, capsys):
    call_command("verify_audit")
    out = capsys.readouterr().out
    assert f"north: 5 links verified, head {audit.verify(organization).head.hex()}" in out
    assert f"south: 0 links verified, head {bytes(32).hex()}" in out


def test_the_command_names_what_is_wrong_and_fails(organization, other_organization, chain, capsys):
    late = audit.record(organization, "message.read")
    AuditEvent.objects.filter(pk=late.pk).update(at=moments.now() - timedelta(seconds=61))
    AuditEvent.objects.filter(pk=chain[3].pk).update(action="message.sent")
    with pytest.raises(CommandError, match="not intact"):
        call_command("verify_audit", "north")
    out = capsys.readouterr().out
    assert "north: link 4 is broken" in out
    assert f"north: event {late.pk} is missing" in out
    assert "south" not in out


def test_the_command_refuses_an_organisation_that_is_not_there(organization):
    with pytest.raises(CommandError, match="nowhere"):
        call_command("verify_audit", "nowhere")


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_make_one_chain(organization):
    for _ in range(200):
        audit.record(organization, "message.read")
    threads = [threading.Thread(target=in_own_connection, args=[audit.link_all]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    found = audit.verify(organization)
    assert (found.links, found.intact) == (200, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_linking_does_not_hold_up_what_is_recorded(organization):
    recorded = threading.Event()

    def record() -> None:
        audit.record(organization, "message.read")
        recorded.set()

    with transaction.atomic():
        audit.link_events(organization)
        thread = threading.Thread(target=in_own_connection, args=[record])
        thread.start()
        assert recorded.wait(5)
    thread.join(5)


def in_own_connection(do) -> None:
    try:
        do()
    finally:
        connection.close()


def test_organisations_have_chains_of_their_own(organization, other_organization, chain):
    audit.record(other_organization, "message.read")
    audit.link_all()
    link = AuditLink.objects.get(organization=other_organization)
    assert (link.sequence, bytes(link.previous_hash)) == (1, audit.GENESIS)
    assert Organization.objects.count() == 2
