from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.http import AuthenticatedRequest
from messaging import signatures

from .navigation import mailbox_context


class SignatureForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Signature"),
        required=False,
        max_length=signatures.MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy("Stands under every new message and answer; there you can still change it."),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def signature(request: AuthenticatedRequest) -> HttpResponse:
    """One's own signature."""
    form = SignatureForm(request.POST or None, initial={"text": signatures.signature_of(request.user)})
    if request.method == "POST" and form.is_valid():
        signatures.change(request.user, form.cleaned_data["text"])
        messages.success(request, _("Signature saved."))
        return redirect("signature")
    context = {**mailbox_context(request), "form": form}
    return render(request, "messaging/signature.html", context, status=422 if form.errors else 200)
