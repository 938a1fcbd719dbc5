from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.http import AuthenticatedRequest
from messaging import storage as stored
from messaging.models import MailboxEntry

from .folders import shown
from .navigation import mailbox_context


@require_safe
def storage(request: AuthenticatedRequest) -> HttpResponse:
    """How much is left, and what takes most."""
    large = stored.largest(request.user)
    lines = [
        line | {"folder": MailboxEntry.Folder(one.folder).label, "size": one.size}
        for line, one in zip(shown([one.row for one in large]), large, strict=True)
    ]
    context = {**mailbox_context(request), "storage": stored.storage_of(request.user), "lines": lines}
    return render(request, "messaging/storage.html", context)
