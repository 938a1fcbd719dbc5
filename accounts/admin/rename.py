"""A user's new address: asked for on a page that says what it changes."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import reauthentication, renaming
from ..directories import InvalidAddress
from ..models import User


class RenameForm(forms.Form):
    address = forms.CharField(
        label=_("New email address"),
        max_length=320,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


def rename_page(request: HttpRequest, user: User, context: dict[str, Any]) -> HttpResponse:
    """The caller has looked the user up as one that this administrator may change."""
    page = reverse("admin:accounts_user_change", args=[user.pk])
    # Whoever gets the mail gets the account: an open console alone is not enough for it.
    if asked := reauthentication.ask_unless_recent(request, request.path):
        return asked
    form = RenameForm(request.POST or None)
    if form.is_valid() and _is_renamed(request, user, form):
        messages.success(request, gettext("The address is changed. Both addresses are told by mail."))
        return HttpResponseRedirect(page)
    context |= {
        "title": gettext("Change address"),
        "subtitle": user.address,
        "original": user,
        "back": page,
        "form": form,
    }
    return TemplateResponse(request, "admin/accounts/user/rename.html", context)


def _is_renamed(request: HttpRequest, user: User, form: RenameForm) -> bool:
    actor: Any = request.user
    try:
        renaming.rename(actor=actor, user=user, address=form.cleaned_data["address"])
    except (InvalidAddress, renaming.CannotRename) as error:
        form.add_error("address", str(error))
        return False
    return True
