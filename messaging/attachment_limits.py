"""What may be attached: number, sizes, storage, types. The organisation sets them; each is said before it is hit, and
each refusal names the file, the limit and what to do.

A file is what it begins with and what it is called. Where the two differ, a program or a web page under a quieter name
is refused: those are the ones that do something when they are opened. A picture that is called .jpg and is a .png harms
nobody and passes. Archives are never opened here, so none can burst; what is in them the virus scanner sees.
"""

from dataclasses import dataclass

from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.models import User
from portal.models import Organization

from .models import Attachment, Message
from .uploads import SealedUpload

MAX_ATTACHMENTS = 50
MB = 1024 * 1024
# How programs begin: Windows, Linux, macOS (both byte orders, universal), scripts.
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!")
# How web pages begin, drawings with scripts in them included; and what nobody expects to open as one.
_PAGES = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml")
_QUIET_ENDINGS = frozenset("pdf png jpg jpeg gif webp bmp tif tiff heic mp3 mp4 docx xlsx pptx odt ods odp zip".split())
_PROGRAM_ENDINGS = frozenset("exe com dll sys scr msi bin elf so dylib app sh bash py pl rb class".split())


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
        if self.files <= 0:
            return _("a message carries at most %(limit)d attachments.") % {"limit": MAX_ATTACHMENTS}
        if size > self.message_bytes:
            return _("a message and its attachments take at most %(limit)d MB together.") % {
                "limit": self.organization.max_message_mb
            }
        if size > self.storage_bytes:
            return _("your storage of %(limit)d MB is full. Delete drafts or sent messages for good first.") % {
                "limit": self.organization.storage_mb
            }
        return _type_refusal(name, upload.head, forbidden_endings(self.organization))


def room_in(message: Message, sender: User) -> Room:
    """What this draft may still take. Holds the sender's row, so that parallel uploads cannot exceed the storage."""
    User.objects.select_for_update(of=("self",)).get(pk=sender.pk)
    organization = message.organization
    used = message.attachments.aggregate(bytes=Sum("size"))["bytes"] or 0
    stored = Attachment.objects.filter(message__sender=sender).aggregate(bytes=Sum("size"))["bytes"] or 0
    return Room(
        organization,
        files=MAX_ATTACHMENTS - message.attachments.count(),
        message_bytes=organization.max_message_mb * MB - used,
        storage_bytes=organization.storage_mb * MB - stored,
    )


def forbidden_endings(organization: Organization) -> frozenset[str]:
    """Lower case, without the dot."""
    return frozenset(ending.strip().lstrip(".").lower() for ending in organization.forbidden_types.split(",")) - {""}


def _type_refusal(name: str, head: bytes, forbidden: frozenset[str]) -> str | None:
    # Any part counts, not only the last: "invoice.exe.txt" is one rename away.
    parts = [part.strip().lower() for part in name.split(".")[1:]]
    hit = next((part for part in parts if part in forbidden), None)
    if hit:
        return _("your organisation does not allow files of the type .%(type)s.") % {"type": hit}
    if head.startswith(_PROGRAMS) and not _PROGRAM_ENDINGS & set(parts[-1:]):
        return _("its content is a program, which its name does not say.")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_PAGES) and _QUIET_ENDINGS & set(parts[-1:]):
        return _("its content is a web page, which its name does not say.")
    return None
