"""The audit log: what happened, written in the same transaction, chained per organisation by the clock.

`record` inserts; nothing updates or deletes. The chain is rows of its own (AuditLink), written by
`link_events` under one lock, so that log-ins and reads do not queue behind each other.
"""

import hashlib
import json
import uuid
from typing import Any

from django.db import transaction

from . import moments
from .models import AuditEvent, AuditLink, Organization

GENESIS = bytes(32)


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


def link_events(organization: Organization, *, limit: int = 500) -> int:
    """Append unlinked events to the organisation's chain, oldest first; returns how many."""
    with transaction.atomic():
        Organization.objects.select_for_update().get(pk=organization.pk)
        last = AuditLink.objects.filter(organization=organization).order_by("-sequence").first()
        sequence, previous = (last.sequence, bytes(last.hash)) if last else (0, GENESIS)
        events = AuditEvent.objects.filter(organization=organization, link__isnull=True).order_by("id")[:limit]
        links = []
        for event in events:
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


def link_hash(event: AuditEvent, sequence: int, previous: bytes) -> bytes:
    """SHA-256 over the previous hash and the event's canonical JSON."""
    content = json.dumps(
        {
            "organization": str(event.organization_id),
            "sequence": sequence,
            "id": str(event.id),
            "at": event.at.isoformat(timespec="milliseconds"),
            "action": event.action,
            "actor": str(event.actor_id or ""),
            "actor_address": event.actor_address,
            "about": str(event.about or ""),
            "details": event.details,
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )
    return hashlib.sha256(previous + content.encode()).digest()
