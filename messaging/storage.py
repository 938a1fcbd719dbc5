"""Storage: what the files of a person's own drafts and sent messages take, what is left, and what takes most of it."""

import uuid
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, QuerySet, Sum
from django.db.models.functions import Now

from accounts.models import User

from .models import Attachment, MailboxEntry
from .rows import Row, lines, rows_of
from .uploads import MB

LARGEST = 10
_NEARLY_FULL = 0.1  # of it is left
_COPIES = 3  # of one message may be one person's: sent, own copy, received


@dataclass(frozen=True)
class Storage:
    """In bytes."""

    limit: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)  # the limit may have been lowered since

    @property
    def is_nearly_full(self) -> bool:
        return self.left < self.limit * _NEARLY_FULL


@dataclass(frozen=True)
class Large:
    """A message or draft with much in it."""

    row: Row
    folder: str  # where the person's copy lies
    size: int  # of its files, in bytes


def storage_of(user: User) -> Storage:
    """Counts the files of all drafts and messages of which they still hold a copy: who removes theirs for good has
    made room, though the recipients keep the files. A file that several carry lies there once. It takes some 6 µs a
    file: no page that is opened all day asks."""
    copy = _copies(user).filter(message=OuterRef("message"))
    held = Attachment.objects.filter(Exists(copy), message__sender=user)
    used = held.values("file_id", "size").distinct().aggregate(bytes=Sum("size"))["bytes"] or 0
    return Storage(user.organization.storage_mb * MB, used)


def largest(user: User) -> list[Large]:
    """What to remove first: their messages and drafts with the largest files; of several copies, the first made."""
    own = _copies(user).filter(message__sender=user, visible_at__lte=Now())
    sized = own.annotate(size=Sum("message__attachments__size")).filter(size__gt=0).order_by("-size", "id")
    first: dict[uuid.UUID, tuple[uuid.UUID, str, int]] = {}
    for message, *copy in sized.values_list("message", "id", "folder", "size")[: _COPIES * LARGEST]:
        first.setdefault(message, tuple(copy))
    chosen = {str(entry): (folder, size) for entry, folder, size in list(first.values())[:LARGEST]}
    rows = rows_of(user, lines(MailboxEntry.objects.filter(id__in=chosen).annotate(now=Now())))
    large = [Large(row, *chosen[row.entry]) for row in rows]
    return sorted(large, key=lambda it: it.size, reverse=True)


def _copies(user: User) -> QuerySet[MailboxEntry]:
    return MailboxEntry.objects.filter(owner=user, removed_at__isnull=True)
