import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.http import AuthenticatedRequest
from messaging import access, resending


@require_POST
def resend(request: AuthenticatedRequest, entry: uuid.UUID, recipient: uuid.UUID) -> HttpResponse:
    """Resend a notification."""
    copy = access.sent_entry(request.user, entry)
    person = get_object_or_404(copy.message.recipients, id=recipient)
    try:
        resending.resend_notification(actor=request.user, recipient=person)
        messages.success(request, _("%(address)s is being notified again.") % {"address": person.address})
    except resending.NotResent as why:
        messages.error(request, str(why))
    return redirect("message", copy.id)


@require_POST
def send_to_another(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """One more recipient for a message already sent."""
    copy = access.sent_entry(request.user, entry)
    try:
        user = resending.send_to_another(actor=request.user, entry=copy, typed=request.POST.get("address", ""))
        messages.success(request, _("Sent to %(address)s too.") % {"address": user.address})
    except resending.NotResent as why:
        messages.error(request, str(why))
    return redirect("message", copy.id)
