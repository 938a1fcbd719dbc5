from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from ..forms import AddressForm
from ..models import MailRequest
from .reset_password import ask_for_mail


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def send_link(request: HttpRequest) -> HttpResponse:
    """Send me my link: the address of one's portal, by mail, wherever the typed address has an account."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "accounts/send_link.html", {"form": form})
    return ask_for_mail(request, MailRequest.Kind.LINK, form, None) or redirect("link_sent")


@login_not_required
@require_safe
def link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/link_sent.html")
