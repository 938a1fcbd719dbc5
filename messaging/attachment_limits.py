"""What may be attached: number, sizes, storage, types. The organisation sets them; each is said before it is hit, and
each refusal names the file, the limit and what to do.

A file is what it begins with and what it is called (file_types.py). Where the two differ, readers are told; what the
organisation forbids under its true name is refused under any other, and so are a program or a web page under a quieter
one: those do something when they are opened. In a ZIP archive the names count as if they were attached.
"""

from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from portal.models import Organization

from . import file_types, storage
from .archives import Look
from .models import Message
from .uploads import MAX_ATTACHMENTS, MB, SealedUpload, too_many, too_much

# Under these nobody expects a web page to open.
_QUIET_ENDINGS = frozenset("pdf png jpg jpeg gif webp bmp tif tiff heic mp3 mp4 docx xlsx pptx odt ods odp zip".split())


@dataclass
class Room:
    """What a draft may still take; shrinks as files are accepted."""

    organization: Organization
    files: int
    message_bytes: int
    storage_bytes: int

    def refusal(self, name: str, upload: SealedUpload) -> str | None:
        """Why this file is not attached, in a sentence that names it; None when it may be, and its room is taken."""
        size = upload.size or 0
        why = self._why_not(name, upload, size)
        if why is None:
            self.files -= 1
            self.message_bytes -= size
            self.storage_bytes -= size
        return why and _("“%(name)s” was not attached: %(why)s") % {"name": name, "why": why}

    def _why_not(self, name: str, upload: SealedUpload, size: int) -> str | None:
        if upload.problem:
            return upload.problem
        if not upload.keep_alive():
            return _("it could not be stored. Please attach it again.")
        if self.files <= 0:
            return too_many()
        if size > self.message_bytes:
            return too_much(self.organization)
        if size > self.storage_bytes:
            full = _("your storage of %(limit)d MB is full. “Storage”, under Account, shows what you can remove.")
            return full % {"limit": self.organization.storage_mb}
        return _type_refusal(name, upload.look, self.organization.forbidden_endings)


def room_in(message: Message, sender: User) -> Room:
    """What this draft may still take. Holds the sender's row, so that parallel uploads cannot exceed the storage."""
    # Not for its key: whoever writes to them would wait for their upload.
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=sender.pk)
    organization = message.organization
    used = message.attachments.aggregate(bytes=Sum("size"))["bytes"] or 0
    return Room(
        organization,
        files=MAX_ATTACHMENTS - message.attachments.count(),
        message_bytes=organization.max_message_mb * MB - used,
        storage_bytes=storage.storage_of(sender).left,
    )


def doubt_about(name: str, upload: SealedUpload) -> str:
    """What readers are told of an attached file's type (file_types.py: Doubts); empty: nothing."""
    if not upload.size:
        return ""
    look = upload.look
    return look.kind.name if file_types.differs(look.kind, name) else look.doubt


def _type_refusal(name: str, look: Look, forbidden: frozenset[str]) -> str | None:
    kind, endings = look.kind, file_types.endings_of(name)
    # Any part counts, not only the last: "invoice.exe.txt" is one rename away.
    if hit := _first(endings, forbidden):
        return _("your organisation does not allow files of the type .%(type)s.") % {"type": hit}
    if kind is file_types.PROGRAM and not kind.endings.intersection(endings[-1:]):
        return _("its content is a program, which its name does not say.")
    if kind is file_types.PAGE and _QUIET_ENDINGS.intersection(endings[-1:]):
        return _("its content is a web page, which its name does not say.")
    if file_types.differs(kind, name) and kind.endings & forbidden:
        return _("its content is %(kind)s, which your organisation does not allow.") % {"kind": kind.label}
    if look.forbidden and not file_types.is_document(kind, name):
        return _("“%(file)s” is in it, and your organisation does not allow files of the type .%(type)s.") % {
            "file": look.forbidden,
            "type": _first(file_types.endings_of(look.forbidden), forbidden),
        }
    return None


def _first(endings: list[str], forbidden: frozenset[str]) -> str | None:
    return next((ending for ending in endings if ending in forbidden), None)
