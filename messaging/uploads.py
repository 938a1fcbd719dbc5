"""Receiving files: sealed while the request is still being read, never on a disk in the clear.

Django's own handlers spool a large upload to a temporary file, and the CSRF check reads any POST before its
view runs. So this is the only handler there is, and it refuses files unless the view is marked
`@receives_files` and the session is live.
"""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from portal.ids import uuid7
from portal.keyring import new_key

from .sealed_files import SealedWriter, remove

# The largest file, in bytes: 2 GiB.
MAX_FILE_BYTES = 2 * 1024**3

logger = logging.getLogger(__name__)


def receives_files(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that takes files."""
    view.receives_files = True  # type: ignore[attr-defined]
    return view


def _is_expected(request: HttpRequest | None) -> bool:
    match = request and request.resolver_match
    return bool(request and match and getattr(match.func, "receives_files", False) and request.user.is_authenticated)


class SealedUpload(UploadedFile):
    """A received file: already sealed under a key of its own, waiting for a message to belong to.

    `problem` says in words why a file was not kept; its bytes are gone then.
    """

    def __init__(self, writer: SealedWriter, file_id: uuid.UUID, key: bytes, name: str, content_type: str) -> None:
        super().__init__(file=None, name=name, content_type=content_type, size=writer.size)
        self.file_id = file_id
        self.key = key
        self.problem = ""

    def close(self) -> None:
        """Nothing is open: the bytes are in their place already."""

    def discard(self) -> None:
        remove(self.file_id)


class SealingUploadHandler(FileUploadHandler):
    """Seals each file as its bytes arrive; memory use does not depend on the size."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if not _is_expected(self.request):
            # Dropped unread, unstored. The text of the form is kept: the view decides what to say.
            raise SkipFile
        file_id, key = uuid7(), new_key()
        self._writer = SealedWriter(file_id, key)
        self._upload = SealedUpload(self._writer, file_id, key, self.file_name or "", self.content_type or "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self._upload.problem:
            return  # what still comes is read and dropped, so that the browser gets an answer it can show
        if start + len(raw_data) > MAX_FILE_BYTES:
            self._give_up(_("is larger than 2 GB"))
            return
        try:
            self._writer.write(raw_data)
        except OSError:
            logger.exception("an attachment could not be written")
            self._give_up(_("could not be stored just now; please try again later"))

    def file_complete(self, file_size: int) -> SealedUpload:
        if not self._upload.problem:
            try:
                self._writer.finish()
            except OSError:
                logger.exception("an attachment could not be written")
                self._give_up(_("could not be stored just now; please try again later"))
        self._upload.size = self._writer.size
        return self._upload

    def upload_interrupted(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.abandon()

    def _give_up(self, problem: str) -> None:
        self._writer.abandon()
        self._upload.problem = problem
