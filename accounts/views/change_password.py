from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from .. import passkeys, passwords, reauthentication, second_factor
from ..account_forms import ChangePasswordForm, CodeForm, CurrentPasswordForm
from ..http import AuthenticatedRequest, own_path
from ..middleware import open_without_second_factor
from .criteria import beside
from .second_factor import is_shown


@sensitive_post_parameters("current_password", "new_password", "confirm_password")
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: AuthenticatedRequest) -> HttpResponse:
    """From the page "Account". The current password is asked; every other session ends."""
    form = ChangePasswordForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid() and _is_current(request, form):
        passwords.change(request=request, user=request.user, password=form.cleaned_data["new_password"])
        reauthentication.confirm(request)
        messages.success(request, _("Your password is changed. You were logged out everywhere else."))
        return redirect("account")
    return render(request, "accounts/change_password.html", beside(form, request.user))


@open_without_second_factor
@sensitive_post_parameters("current_password", "code")
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: AuthenticatedRequest) -> HttpResponse:
    """Is it still you? The password, and the second factor where there is one. Then on to what was asked for."""
    data = request.POST if request.method == "POST" else None
    form = CurrentPasswordForm(data, user=request.user)
    code_form = CodeForm(data) if second_factor.is_enrolled(request.user) else None
    right = all(each.is_valid() for each in (form, code_form) if each is not None) and _is_current(request, form)
    if right and (code_form is None or is_shown(request, request.user, code_form)):
        reauthentication.confirm(request)
        return redirect(own_path(request.GET.get("next")) or reverse("account"))
    passkey = passkeys.request_options(request, request.user) if code_form else None
    context = {"form": form, "code_form": code_form, "passkey": passkey}
    return render(request, "accounts/confirm.html", context)


def _is_current(request: AuthenticatedRequest, form: CurrentPasswordForm) -> bool:
    if reauthentication.is_own_password(request, form.cleaned_data["current_password"]):
        return True
    form.add_error(
        "current_password", _("This is not your current password, or there were too many tries: then wait a while.")
    )
    return False
