import uuid

from csp.constants import NONE
from csp.decorators import csp
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import access, rules
from messaging.eml import eml
from portal import audit


@csp({"default-src": [NONE], "sandbox": True})  # type: ignore[arg-type]
@require_safe
def download(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponseBase:
    """The whole message as an .eml file, where the definition allows it. The file's name tells nothing of it."""
    try:
        copy = access.openable_entry(request.user, entry)
    except access.Gone as gone:
        raise Http404 from gone
    if why := rules.why_not(copy, "may_download"):
        raise PermissionDenied(why)
    headers = {"Content-Type": "message/rfc822", "Content-Disposition": 'attachment; filename="message.eml"'}
    if request.method == "HEAD":
        return HttpResponse(headers=headers)
    audit.record(request.user.organization, "message.downloaded", actor=request.user, about=copy.message_id)
    return StreamingHttpResponse(eml(copy), headers=headers)
