"""Receiving files: sealed while the request is still being read, never on a disk in the clear.

Django's own handlers spool a large upload to a temporary file, and the CSRF check reads any POST before its
view runs. So this is the only handler there is, and it refuses files unless the view is marked
`@receives_files` and the session is live.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from portal.ids import uuid7
from portal.keyring import new_key
from portal.models import Organization

from . import archives, file_types, scanning
from .file_names import clean_name
from .sealed_files import SealedWriter, keep_alive, remove

logger = logging.getLogger(__name__)

# Of a message, and of a form, which makes one: what a form has beyond them is not even stored.
MAX_ATTACHMENTS = 50
MB = 1024 * 1024

# Far less than attachments.ORPHAN_SECONDS: a form's first file waits for its last.
_KEEP_ALIVE_SECONDS = 300


def too_many() -> str:
    return _("a message carries at most %(limit)d attachments.") % {"limit": MAX_ATTACHMENTS}


def too_much(organization: Organization) -> str:
    limit = organization.max_message_mb
    return _("a message and its attachments take at most %(limit)d MB together.") % {"limit": limit}


def receives_files(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that takes files."""
    view.receives_files = True  # type: ignore[attr-defined]
    return view


def _receives_files(request: HttpRequest) -> bool:
    view = request.resolver_match and request.resolver_match.func
    return getattr(view, "receives_files", False)


class SealedUpload(UploadedFile):
    """A received file: already sealed under a key of its own, waiting for a message to belong to.

    `problem` says in words why a file was not kept; its bytes are gone then.
    """

    def __init__(self, name: str, content_type: str) -> None:
        super().__init__(file=None, name=clean_name(name), content_type=content_type, size=0)
        self.file_id = uuid7()
        self.key = new_key()
        self.look = archives.Look(file_types.UNKNOWN)  # what it is, told from its content
        self.problem = ""
        self.is_attached = False  # a row has taken it
        self.verdict = scanning.Verdict(scanning.Scan.OFF)

    def close(self) -> None:
        """Nothing is open: the bytes are in their place already."""

    def keep_alive(self) -> bool:
        """While it waits. False: the bytes are not there."""
        return keep_alive(self.file_id)

    def discard(self) -> None:
        """Delete the bytes, where they were kept at all."""
        if not self.problem:
            remove(self.file_id)


class SealingUploadHandler(FileUploadHandler):
    """Seals each file as its bytes arrive; memory use does not depend on the size."""

    _count = 0
    _kept_alive_at = 0.0

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._waiting: list[SealedUpload] = []  # the form's files so far

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        request = self.request
        if request is None or not request.user.is_authenticated or not _receives_files(request):
            # Dropped unread, unstored. The text of the form is kept: the view decides what to say.
            raise SkipFile
        self._organization = request.user.organization
        self._upload = SealedUpload(self.file_name or "", self.content_type or "")
        self._writer: SealedWriter | None = None
        self._waiting.append(self._upload)
        request.sealed_uploads = self  # type: ignore[attr-defined]
        self._count += 1
        if self._count > MAX_ATTACHMENTS:
            self._upload.problem = too_many()
            return
        self._head = b""
        self._scan = scanning.Stream()
        with self._telling_of_failure():
            self._writer = SealedWriter(self._upload.file_id, self._upload.key)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._keep_alive()
        if self._writer is None:
            return  # what still comes is read and dropped, so that the browser gets an answer it can show
        self._head += raw_data[: max(0, file_types.HEAD_BYTES - start)]
        if problem := self._too_large(start + len(raw_data)):
            self._give_up(problem)
            return
        with self._telling_of_failure():
            self._writer.write(raw_data)
            self._scan.write(raw_data)

    def _too_large(self, size: int) -> str:
        largest_mb = self._organization.max_attachment_mb
        if size > largest_mb * MB:
            return _("an attachment may be %(limit)d MB at most.") % {"limit": largest_mb}
        # What the draft has already is asked when it is looked up; a form alone must not fill the disk until then.
        form = size + sum(upload.size or 0 for upload in self._waiting)
        return too_much(self._organization) if form > self._organization.max_message_mb * MB else ""

    def file_complete(self, file_size: int) -> SealedUpload:
        if self._writer is not None:
            self._upload.verdict = self._scan.finish()
            if self._upload.verdict.scan == scanning.Scan.INFECTED:
                self._give_up(_("a virus was found in it (%(virus)s).") % {"virus": self._upload.verdict.virus})
        if self._writer is not None:
            with self._telling_of_failure():
                self._writer.finish()
                self._upload.size = self._writer.size
                self._upload.look = self._look()
            self._writer = None
        return self._upload

    def _keep_alive(self) -> None:
        if time.monotonic() < self._kept_alive_at + _KEEP_ALIVE_SECONDS:
            return
        self._kept_alive_at = time.monotonic()
        for upload in self._waiting:
            upload.keep_alive()

    def _look(self) -> archives.Look:
        kind, upload = file_types.kind_of(self._head), self._upload
        if not file_types.may_be_archive(self._head, upload.name or ""):
            return archives.Look(kind)
        forbidden = self._organization.forbidden_endings
        return archives.look_into(upload.file_id, upload.key, upload.size or 0, kind, forbidden)

    def upload_interrupted(self) -> None:
        writer: SealedWriter | None = getattr(self, "_writer", None)
        if writer is not None:
            writer.abandon()
            self._scan.abandon()

    def clear_up(self) -> None:
        """Leave nothing of what no message took: an hour's worth of refused forms would fill any disk."""
        self.upload_interrupted()
        for upload in self._waiting:
            if not upload.is_attached:
                upload.discard()

    @contextlib.contextmanager
    def _telling_of_failure(self) -> Iterator[None]:
        """A disk that is full or gone is the sender's business only so far: the file was not kept."""
        try:
            yield
        except OSError:
            logger.exception("an attachment could not be written")
            self._give_up(_("it could not be stored just now. Please try again later."))

    def _give_up(self, problem: str) -> None:
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        self._scan.abandon()
        self._upload.problem = problem


class UploadsMiddleware:
    """Clears up after forms that were refused, broke off or named no draft of the sender's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        finally:
            if handler := getattr(request, "sealed_uploads", None):
                with contextlib.suppress(OSError):  # a disk that is gone: they are collected when it is back
                    handler.clear_up()
