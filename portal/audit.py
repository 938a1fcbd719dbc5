"""The audit log: what happened, written in the same transaction, chained per organisation by the clock.

`record` inserts; nothing updates or deletes. The chain is rows of its own (AuditLink), written by
`link_events` under one lock, so that log-ins and reads do not queue behind each other. An event that is changed,
added or taken away inside the chain breaks it; that the chain's end was cut off shows against an earlier head.
"""

import hashlib
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from . import bulk, moments
from .ids import uuid7s
from .models import AuditEvent, AuditLink, Organization

GENESIS = bytes(32)
# An event is linked within seconds; one that is not after this long is missing.
LATE_AFTER = timedelta(minutes=1)
# How far back the clock looks each time: further than machines' clocks are apart, less than the whole log.
LOOK_BACK = timedelta(hours=3)


def record(
    organization: Organization,
    action: str,
    *,
    actor: Any = None,
    about: uuid.UUID | None = None,
    **details: Any,
) -> AuditEvent:
    """Write one event in the caller's transaction. Details are plain values: never a subject, body or secret."""
    return AuditEvent.objects.create(
        organization=organization,
        at=moments.now(),
        action=action,
        actor_id=actor.id if actor else None,
        actor_address=actor.address if actor else "",
        about=about,
        details=details,
    )


def record_each(organization: Organization, action: str, *, about: Sequence[uuid.UUID]) -> None:
    """Write one such event for each, in the caller's transaction; what the clock did, so nobody is the actor."""
    event = AuditEvent(organization=organization, at=moments.now(), action=action)
    bulk.insert_like(event, {"id": uuid7s(len(about)), "about": about})


def link_all(*, everything: bool = False) -> int:
    """Link what is not linked yet, of every organisation; returns how many events.

    Looks back as far as the newest link and LOOK_BACK; with `everything`, through the whole log.
    """
    since = None if everything else _look_back()
    waiting = _unlinked(since).order_by().values_list("organization", flat=True).distinct()
    linked = 0
    for organization in Organization.objects.filter(pk__in=list(waiting)):
        while count := link_events(organization, since=since):
            linked += count
    return linked


def link_events(organization: Organization, *, since: uuid.UUID | None = None, limit: int = 500) -> int:
    """Append unlinked events to the organisation's chain, oldest first; returns how many."""
    with transaction.atomic():
        # The weaker lock: the stronger would hold up every insert that refers to the organisation.
        Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
        last = AuditLink.objects.filter(organization=organization).order_by("-sequence").first()
        sequence, previous = (last.sequence, bytes(last.hash)) if last else (0, GENESIS)
        links = []
        for event in _unlinked(since).filter(organization=organization).order_by("id")[:limit]:
            sequence += 1
            digest = link_hash(event, sequence, previous)
            links.append(
                AuditLink(
                    event=event,
                    organization=organization,
                    sequence=sequence,
                    previous_hash=previous,
                    hash=digest,
                )
            )
            previous = digest
        AuditLink.objects.bulk_create(links)
    return len(links)


def _unlinked(since: uuid.UUID | None = None) -> QuerySet[AuditEvent]:
    events = AuditEvent.objects.filter(link__isnull=True)
    return events.filter(id__gte=since) if since else events


def _look_back() -> uuid.UUID | None:
    """The id from which on to look. Ids begin with milliseconds; a clock that runs ahead must not move this on."""
    newest = AuditLink.objects.order_by("-event_id").values_list("event_id", flat=True).first()
    if newest is None:
        return None
    now = int(moments.now().timestamp() * 1000)
    back = int(LOOK_BACK.total_seconds() * 1000)
    return uuid.UUID(int=(min(newest.int >> 80, now) - back) << 80)


@dataclass(frozen=True)
class Verification:
    """What became of an organisation's chain. Intact: nothing broken, nothing missing."""

    links: int  # good ones, from the first on
    head: bytes  # hash of the last good one
    broken_at: int | None  # sequence of the first bad one
    why: str
    missing: list[uuid.UUID]  # events that should have been linked by now

    @property
    def intact(self) -> bool:
        return self.broken_at is None and not self.missing


def verify(organization: Organization) -> Verification:
    """Compute the whole chain anew, one link at a time."""
    good, previous, why = 0, GENESIS, ""
    links = AuditLink.objects.filter(organization=organization).select_related("event").order_by("sequence")
    for link in links.iterator(chunk_size=1000):
        why = _why_broken(link, good + 1, previous)
        if why:
            break
        good, previous = good + 1, bytes(link.hash)
    late = _unlinked().filter(organization=organization, at__lt=moments.now() - LATE_AFTER)
    return Verification(
        links=good,
        head=previous,
        broken_at=good + 1 if why else None,
        why=why,
        missing=list(late.order_by("id").values_list("id", flat=True)),
    )


def _why_broken(link: AuditLink, sequence: int, previous: bytes) -> str:
    if link.sequence != sequence:
        return "the link or its event is gone"
    if link.event.organization_id != link.organization_id:
        return f"event {link.event_id} belongs to another organisation"
    if bytes(link.previous_hash) != previous:
        return "it does not continue the link before it"
    if bytes(link.hash) != link_hash(link.event, sequence, previous):
        return f"event {link.event_id} is not what was linked"
    return ""


def link_hash(event: AuditEvent, sequence: int, previous: bytes) -> bytes:
    """SHA-256 over the previous hash and the event's canonical JSON."""
    return content_hash(content_of(event, sequence), previous)


def content_of(event: AuditEvent, sequence: int | None) -> dict[str, Any]:
    """What is hashed of an event, and exported: plain values."""
    return {
        "organization": str(event.organization_id),
        "sequence": sequence,
        "id": str(event.id),
        "at": event.at.isoformat(timespec="milliseconds"),
        "action": event.action,
        "actor": str(event.actor_id or ""),
        "actor_address": event.actor_address,
        "about": str(event.about or ""),
        "details": event.details,
    }


def content_hash(content: dict[str, Any], previous: bytes) -> bytes:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(previous + canonical.encode()).digest()
