from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import password_rules, passwords
from .directories import InvalidAddress, normalize_address
from .pending import Pending


class AddressForm(forms.Form):
    address = forms.CharField(
        label=_("Email Address"),
        # Judged by the portal's own rule, which is the same for everybody and says nothing about anybody.
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}),
        max_length=320,
        error_messages={"required": _("Type the email address the notification was sent to.")},
    )

    def clean_address(self) -> str:
        try:
            return normalize_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise ValidationError(str(error)) from None


class PasswordForm(AddressForm):
    """The second step: the address stands in a field of its own so that password managers see both."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        error_messages={"required": _("Type your password.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].widget = forms.EmailInput(attrs={"autocomplete": "username", "readonly": True})


class SetPasswordForm(forms.Form):
    """The criteria say what is wrong with a password; errors of the form are what no criterion covers."""

    address = forms.CharField(
        label=_("Email Address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "readonly": True}),
    )
    new_password = forms.CharField(
        label=_("New Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    confirm_password = forms.CharField(
        label=_("Confirm Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, data: Any = None, *, pending: Pending) -> None:
        super().__init__(data, initial={"address": pending.user.address})
        self.pending = pending

    def clean_address(self) -> str:
        return self.pending.user.address  # whatever was posted

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        password = cleaned.get("new_password", "")
        if len(password_rules.normalize(password)) > password_rules.MAX_LENGTH:
            raise ValidationError(
                _("That password is too long: at most %(count)d characters."),
                params={"count": password_rules.MAX_LENGTH},
            )
        if not all(line.met for line in self.criteria()):
            raise ValidationError(_("This password cannot be used yet. What is missing is marked below."))
        if passwords.is_the_temporary_one(self.pending.user, self.pending.credential_id, password):
            raise ValidationError(_("That is the temporary password. Choose one of your own."))
        return cleaned

    def criteria(self) -> list[password_rules.Criterion]:
        return password_rules.criteria(
            self.pending.user,
            self.data.get("new_password", ""),
            self.data.get("confirm_password", ""),
        )
