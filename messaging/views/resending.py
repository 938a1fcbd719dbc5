import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import AuthenticatedRequest
from messaging import access, resending, sealing, sending
from messaging.models import MailboxEntry

from .message import AnotherForm, may_send_to_another, message_page
from .navigation import mailbox_context


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


@require_http_methods(["GET", "HEAD", "POST"])
def send_to_another(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """One more recipient for a message already sent; what is worth a second look is asked first."""
    copy = access.sent_entry(request.user, entry)
    if request.method != "POST":
        return redirect("message", copy.id)
    typed, seen = request.POST.get("address", ""), request.POST.getlist("seen")
    if "cancel" in request.POST:
        return message_page(request, copy, another=AnotherForm.typed(typed))
    try:
        address = resending.send_to_another(actor=request.user, entry=copy, typed=typed, seen=seen)
    except sending.NeedsConfirmation as needed:
        return _ask(request, copy, typed, needed.cautions)
    except resending.NotResent as why:
        return _refuse(request, access.sent_entry(request.user, entry), typed, str(why))
    said = _("Sent to %(address)s too. “Recall for this recipient” takes it back.")
    messages.success(request, said % {"address": address})
    return redirect("message", copy.id)


def _refuse(request: AuthenticatedRequest, copy: MailboxEntry, typed: str, why: str) -> HttpResponse:
    """At the field, where another address may do; the look-up is a fresh one."""
    if may_send_to_another(copy):
        form = AnotherForm.typed(typed)
        form.add_error("address", why)
        return message_page(request, copy, another=form, status=422)
    messages.error(request, why)
    return redirect("message", copy.id)


def _ask(request: AuthenticatedRequest, copy: MailboxEntry, address: str, cautions: list[str]) -> HttpResponse:
    context = {
        **mailbox_context(request, copy.folder),
        "entry": copy,
        "subject": sealing.open_subject(copy.message, sealing.open_message_key(copy)),
        "address": address,
        "cautions": cautions,
    }
    return render(request, "messaging/another_confirm.html", context, status=422)
