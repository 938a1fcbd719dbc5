"""What a person had typed into a form that could not be taken: given back, so that nothing is lost."""

from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _

from .plain_text import plain_text


def typed_texts(request: HttpRequest, reason: str = "") -> list[tuple[str, str]]:
    """[(label, text)] of what was typed; nothing for a form that came from another site, whose words are its own.

    reason: why Django's CSRF check refused the form."""
    if reason.startswith(("Origin", "Referer")):
        return []
    return labelled(readable_post(request))


def labelled(fields: dict[str, str]) -> list[tuple[str, str]]:
    """[(label, text)] of those fields that a person wrote, as plain text."""
    labels = {
        "to": _("To"),
        "cc": _("Cc"),
        "bcc": _("Bcc"),
        "subject": _("Subject"),
        "body": _("Message"),
        "address": _("Email Address"),
    }
    texts = []
    for name, text in fields.items():
        # Of fields not known here, only prose: ids, choices and flags nobody typed.
        if "password" in name or not text.strip() or (name not in labels and " " not in text.strip()):
            continue
        if name == "body" and fields.get("body_format") == "html":
            text = plain_text(text)
        texts.append((labels.get(name, name), text))
    return texts


def readable_post(request: HttpRequest) -> dict[str, str]:
    """The form's fields, files skipped; empty when it cannot be read."""
    try:
        if not hasattr(request, "_files"):
            # Not read yet: a form that failed its check stores no file.
            request.upload_handlers = [_SkippedFiles(request)]
        return {name: str(text) for name, text in request.POST.items()}
    except (UnreadablePostError, MultiPartParserError, SuspiciousOperation, BadRequest):
        return {}


class _SkippedFiles(FileUploadHandler):
    def new_file(self, *args: Any, **kwargs: Any) -> None:
        raise SkipFile
