import re
import uuid

from csp.constants import HEADER
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import access, attachments, receipts, sealing
from messaging.models import MailboxEntry

from . import opening

_CONTENT_TYPE = re.compile(r"(?:application|audio|image|text|video)/[A-Za-z0-9.+-]{1,100}\Z")
# Types a browser might run; sent as bytes, whatever the sender called them.
_ACTIVE = re.compile(r"html|xml|svg|script|shockwave|wasm")


@require_safe
@opening.never_ahead
def attachment(request: AuthenticatedRequest, entry: uuid.UUID, attachment: uuid.UUID) -> HttpResponseBase:
    """The file, by download only, streamed: memory use does not depend on its size."""
    copy, row = access.openable_file(request.user, entry, attachment)
    key = sealing.open_message_key(copy)
    if not row.is_released(copy.message.organization.hold_unscanned):
        raise PermissionDenied(attachments.note_on(row, copy.message.organization.hold_unscanned))
    headers = {
        HEADER: "default-src 'none'; sandbox",
        "Content-Type": _safe_type(row.content_type),
        "Content-Length": str(row.size),
        "Content-Disposition": content_disposition_header(True, sealing.open_attachment_name(row, key)) or "attachment",
    }
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    chunks = attachments.open_attachment(row, key)
    if copy.kind == MailboxEntry.Kind.RECEIVED:
        receipts.record_fetch(actor=request.user, entry=copy, attachment=row)
    return StreamingHttpResponse(chunks, headers=headers)


def _safe_type(declared: str) -> str:
    declared = declared.lower()
    if _CONTENT_TYPE.match(declared) and not _ACTIVE.search(declared):
        return declared
    return "application/octet-stream"
