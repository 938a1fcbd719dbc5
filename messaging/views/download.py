import uuid

from csp.constants import NONE
from csp.decorators import csp
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import access, receipts, rules
from messaging.eml import eml
from portal import audit

from . import opening


@csp({"default-src": [NONE], "sandbox": True})
@require_safe
@opening.never_ahead
def download(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponseBase:
    """The whole message as an .eml file, where the definition allows it. The file's name tells nothing of it."""
    copy = access.openable_entry(request.user, entry)
    if why := rules.why_not(copy, "may_download"):
        raise PermissionDenied(why)
    headers = {"Content-Type": "message/rfc822", "Content-Disposition": 'attachment; filename="message.eml"'}
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    opening.note(request, copy)
    receipts.record_fetches(actor=request.user, entry=copy)
    audit.record(request.user.organization, "message.downloaded", actor=request.user, about=copy.message_id)
    return StreamingHttpResponse(eml(copy), headers=headers)
