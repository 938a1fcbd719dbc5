"""The floors, each the least that does what it stands for."""

import os
import uuid
from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from .models import Copy, Line, Sealed

KEY = bytes(32)
CHUNK = 64 * 1024
TAG = 16
FILE_BYTES = 10 * 1024 * 1024


def page(request: HttpRequest) -> HttpResponse:
    """Session, user, one indexed query of 25 rows, one template."""
    lines = Line.objects.filter(owner=request.user).order_by("-id")[:25]  # type: ignore[misc]
    return render(request, "page.html", {"user": request.user, "lines": lines})


def file(request: HttpRequest) -> StreamingHttpResponse:
    """Session, user, and a file sealed in chunks that is opened while it is sent."""
    if not request.user.is_authenticated:
        raise PermissionDenied
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(FILE_BYTES)}
    return StreamingHttpResponse(_opened(os.environ["FLOOR_FILE"]), headers=headers)


def _opened(path: str) -> Iterator[bytes]:
    cipher = AESGCM(KEY)
    with open(path, "rb") as file:
        position = 0
        while sealed := file.read(CHUNK + TAG):
            yield cipher.decrypt(position.to_bytes(12, "big"), sealed, None)
            position += 1


def opened(request: HttpRequest) -> HttpResponse:
    """Everything the person has, fetched and opened, and looked at by nobody."""
    cipher, size = AESGCM(KEY), 0
    values = Sealed.objects.filter(owner=request.user).values_list("value", flat=True)  # type: ignore[misc]
    for value in values.iterator(chunk_size=400):
        value = bytes(value)
        size += len(cipher.decrypt(value[:12], value[12:], None))
    return HttpResponse(str(size), content_type="text/plain")


def many(request: HttpRequest) -> HttpResponse:
    """Three rows for each of so many people, as Django writes many: copy, history and mail have that many."""
    count = int(request.GET["people"])
    with transaction.atomic():
        for _table in range(3):
            Copy.objects.bulk_create(
                Copy(id=uuid.uuid4(), person=number, wrapped_key=os.urandom(61)) for number in range(count)
            )
    return HttpResponse(str(request.user), content_type="text/plain")
