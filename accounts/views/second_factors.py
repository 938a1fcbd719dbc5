"""One's own second factor, on the page "Account": what there is, adding and taking away."""

import segno
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import moments

from .. import authenticator_apps, passkeys, reauthentication, sessions
from .. import second_factor as factors
from ..account_forms import FirstCodeForm, PasskeyForm
from ..http import AuthenticatedRequest
from ..middleware import open_without_second_factor
from ..models import Passkey, RecoveryCode, TotpDevice

# The offered seed, while it is asked once more who this is.
_OFFER = "totp_offer"
_LONGEST_OFFER = 400
_NOT_THE_CODE = gettext_lazy("That is not the code the app shows now. Type the next one.")
_OFFERED_TOO_LONG_AGO = gettext_lazy("That key was shown too long ago. Here is a new one: scan it, then type its code.")


@open_without_second_factor
@require_safe
def second_factors(request: AuthenticatedRequest) -> HttpResponse:
    user = request.user
    context = {
        "app": TotpDevice.objects.filter(user=user, confirmed=True).first(),
        "passkeys": list(Passkey.objects.filter(user=user).order_by("id")),
        "codes_left": RecoveryCode.objects.filter(user=user, used_at__isnull=True).count(),
        "is_demanded": user.second_factor_is_demanded,
        "is_missing": user.second_factor_is_demanded and not sessions.has_second_factor(request),
    }
    return render(request, "accounts/second_factors.html", context)


@open_without_second_factor
@sensitive_post_parameters("code", "offer")
@require_http_methods(["GET", "HEAD", "POST"])
def add_app(request: AuthenticatedRequest) -> HttpResponse:
    """The seed as a picture and in letters; the first right code makes the app the person's second factor."""
    form = FirstCodeForm(request.POST if request.method == "POST" else None)
    offered = request.POST.get("offer", "")[:_LONGEST_OFFER] or request.session.get(_OFFER, "")
    if asked := reauthentication.ask_unless_recent(request, request.path):
        if form.is_bound:  # finding and installing an app takes longer than five minutes
            request.session[_OFFER] = offered
        return asked
    seed = authenticator_apps.offered_seed(request.user, offered, moments.now())
    if form.is_valid():
        code = form.cleaned_data["code"]
        codes = factors.add_app(request.user, seed, code, keep=request.session.session_key) if seed else None
        if codes is not None:
            request.session.pop(_OFFER, None)
            return _added(request, codes)
        form.add_error("code", _NOT_THE_CODE if seed else _OFFERED_TOO_LONG_AGO)
    return _offer_page(request, form, seed or authenticator_apps.new_seed())


def _offer_page(request: AuthenticatedRequest, form: FirstCodeForm, seed: bytes) -> HttpResponse:
    uri = authenticator_apps.seed_uri(request.user, seed)
    context = {
        "form": form,
        "offer": authenticator_apps.offer(request.user, seed, moments.now()),
        "picture": segno.make(uri, error="m").svg_data_uri(scale=5, border=4, light="white"),
        "seed": authenticator_apps.seed_text(seed),
        "uri": uri,
    }
    return render(request, "accounts/add_app.html", context)


@open_without_second_factor
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication.recently_confirmed("add_passkey")
def add_passkey(request: AuthenticatedRequest) -> HttpResponse:
    form = PasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        if values := passkeys.made(request, form.cleaned_data["passkey"]):
            name = form.cleaned_data["name"] or _("Passkey")
            codes = factors.add_passkey(request.user, name=name, keep=request.session.session_key, **values)
            return _added(request, codes)
        form.add_error(None, _("The passkey could not be made. Please try again."))
    context = {"form": form, "passkey": passkeys.creation_options(request, request.user)}
    return render(request, "accounts/add_passkey.html", context)


def _added(request: AuthenticatedRequest, codes: list[str]) -> HttpResponse:
    """The session has the factor from now on, under a new key; recovery codes are shown, this once."""
    sessions.renew_key(request)
    sessions.note_second_factor(request)
    if codes:
        return render(request, "accounts/recovery_codes.html", {"codes": codes})
    messages.success(request, _("Added."))
    return redirect("second_factors")


@require_POST
@reauthentication.recently_confirmed("second_factors")
def recovery_codes(request: AuthenticatedRequest) -> HttpResponse:
    """Ten new ones, shown once."""
    if not factors.is_enrolled(request.user):
        raise Http404
    return render(request, "accounts/recovery_codes.html", {"codes": factors.new_recovery_codes(request.user)})


@require_POST
@reauthentication.recently_confirmed("second_factors")
def remove_second_factor(request: AuthenticatedRequest) -> HttpResponse:
    """A passkey by its id, or the app. The last one stays where the organisation demands one."""
    number = request.POST.get("passkey", "")
    if not (number == "" or number.isascii() and number.isdigit() and len(number) < 19):
        raise Http404
    passkey = int(number) if number else None
    if request.user.second_factor_is_demanded and factors.is_last(request.user, passkey=passkey):
        messages.error(request, _("Your organisation demands a second factor: add another one first."))
    else:
        factors.remove(request.user, passkey=passkey, keep=request.session.session_key)
        messages.success(request, _("Removed."))
    return redirect("second_factors")
