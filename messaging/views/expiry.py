import uuid
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.http import AuthenticatedRequest
from messaging import access, expiry, sealing
from messaging.forms import FIRST_YEAR, LAST_YEAR, is_within_years
from messaging.models import MailboxEntry

from .navigation import mailbox_context


class ExtendForm(forms.Form):
    until = forms.DateTimeField(
        label=gettext_lazy("New expiry"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )

    def clean_until(self) -> datetime:
        until: datetime = self.cleaned_data["until"]
        if not is_within_years(until):
            years = {"first": FIRST_YEAR, "last": LAST_YEAR}
            raise forms.ValidationError(_("Choose a time in the years %(first)d to %(last)d.") % years)
        return until


@require_http_methods(["GET", "HEAD", "POST"])
def extend(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """Extend Expiry: date and time, once or as often as the definition says."""
    copy = access.sent_entry(request.user, entry)
    form = ExtendForm(request.POST or None, initial={"until": _suggested(copy)})
    if request.method == "POST" and form.is_valid():
        try:
            expiry.extend_expiry(actor=request.user, message=copy.message, until=form.cleaned_data["until"])
        except expiry.NotExtended as why:
            form.add_error("until", str(why))
        else:
            messages.success(request, _("The expiry is extended."))
            return redirect("message", copy.id)
    context = {
        **mailbox_context(request, copy.folder),
        "entry": copy,
        "form": form,
        "subject": sealing.open_subject(copy.message, sealing.open_message_key(copy)),
        "expires_at": copy.message.expires_at,
        "latest": expiry.latest_expiry(copy.message),
        "left": copy.message.extensions - copy.message.extensions_used,
        "can_extend": expiry.may_extend(copy.message, copy.now),  # type: ignore[attr-defined]
    }
    return render(request, "messaging/extend.html", context, status=422 if form.errors else 200)


def _suggested(copy: MailboxEntry) -> datetime | None:
    """Twice the time, within the retention."""
    message = copy.message
    if message.expires_at is None or message.sent_at is None:
        return None
    later = message.expires_at + (message.expires_at - message.sent_at)
    return timezone.localtime(min(later, expiry.latest_expiry(message)))


@require_http_methods(["GET", "HEAD", "POST"])
def expire(request: AuthenticatedRequest, entry: uuid.UUID) -> HttpResponse:
    """Expire now: the page says what that means, the POST does it."""
    copy = access.sent_entry(request.user, entry)
    if request.method == "POST":
        expiry.expire_now(actor=request.user, message=copy.message)
        copy = access.sent_entry(request.user, entry)  # it may be a draft again: the look-up tells
        if not copy.message.is_recalled():
            messages.success(request, _("Expired. No recipient can open the message any more."))
    if copy.message.is_recalled() or copy.message.is_expired(copy.now):  # type: ignore[attr-defined]
        return redirect("message", copy.id)
    subject = sealing.open_subject(copy.message, sealing.open_message_key(copy))
    context = {**mailbox_context(request, copy.folder), "entry": copy, "subject": subject}
    return render(request, "messaging/expire.html", context)
