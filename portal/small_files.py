"""Small files for the console, such as a logo: held in memory, never on a disk, and only for a view that is marked for
them. Every other file is the sealing handler's (messaging/uploads.py), which comes after this one."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers

_MOST_FILES = 10  # of a form; more than any of the console's has fields for


def receives_small_files(most_bytes: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a view that takes files of so many bytes each; of a larger one only its size is kept."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        view.most_bytes_of_a_file = most_bytes  # type: ignore[attr-defined]
        return view

    return mark


class SmallFileHandler(FileUploadHandler):
    _most = 0  # bytes; 0: this file is not ours
    _count = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._most = self._most_bytes()
        self._content = BytesIO()
        if not self._most:
            return
        self._count += 1
        if self._count > _MOST_FILES:
            raise SkipFile
        raise StopFutureHandlers

    def _most_bytes(self) -> int:
        request: Any = self.request
        view = request.resolver_match and request.resolver_match.func
        is_administrator = request.user.is_authenticated and request.user.is_staff
        return getattr(view, "most_bytes_of_a_file", 0) if is_administrator else 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if not self._most:
            return raw_data
        if start + len(raw_data) <= self._most:
            self._content.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> UploadedFile | None:
        if not self._most:
            return None
        self._content.seek(0)
        return UploadedFile(self._content, self.file_name, self.content_type, file_size)
