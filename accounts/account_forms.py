"""The forms of the page "Account"."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from . import password_rules, preferences
from .models import User


class PreferencesForm(forms.Form):
    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)
    date_format = forms.ChoiceField(label=_("Dates"), required=False)
    time_format = forms.ChoiceField(label=_("Times"), required=False)
    week_starts_on = forms.ChoiceField(
        label=_("The week starts on"),
        required=False,
        help_text=_("In lists, the days of this week stand with their names, older ones with their dates."),
    )
    notify = forms.ChoiceField(label=_("Notify me of new messages"), choices=User.Notify)
    wants_reminders = forms.BooleanField(label=_("Remind me of messages I have not read"), required=False)
    phrase = forms.CharField(
        label=_("A phrase of your own"),
        required=False,
        max_length=preferences.MAX_PHRASE,
        help_text=_(
            "It stands in every notification. A mail that does not carry it is not from here. Choose a few words that "
            "nobody would guess, and never your password."
        ),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        initial = {name: getattr(user, name) for name in preferences.FIELDS}
        super().__init__(data, initial=initial | {"phrase": preferences.phrase_of(user)})
        usual = ("", _("As the portal has it"))
        self._choices("language", [("", _("As my browser asks")), *preferences.languages()])
        own, *zones = preferences.time_zones(user.organization)
        self._choices("time_zone", [("", _("The organisation’s (%s)") % own[1]), *zones])
        self._choices("date_format", [usual, *User.DateFormat.choices])
        self._choices("time_format", [usual, *User.TimeFormat.choices])
        self._choices("week_starts_on", [usual, *User.WeekStart.choices])

    def _choices(self, name: str, choices: list[tuple[Any, Any]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def clean_phrase(self) -> str:
        """One line: it goes into mails."""
        return " ".join(self.cleaned_data["phrase"].split())


class CurrentPasswordForm(forms.Form):
    address = forms.CharField(
        label=_("Email Address"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "readonly": True}),
    )
    current_password = forms.CharField(
        label=_("Current Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
        error_messages={"required": _("Type your current password.")},
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data, initial={"address": user.address})
        self.user = user


class ChangePasswordForm(CurrentPasswordForm):
    """As at the first visit, the criteria say what is wrong with the new one."""

    new_password = forms.CharField(
        label=_("New Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    confirm_password = forms.CharField(
        label=_("Confirm Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not all(line.met for line in self.criteria()):
            raise ValidationError(_("This password cannot be used yet. What is missing is marked below."))
        if cleaned.get("new_password") == cleaned.get("current_password"):
            raise ValidationError(_("That is the password you have. Choose another."))
        return cleaned

    def criteria(self) -> list[password_rules.Criterion]:
        return password_rules.criteria(
            self.user, self.data.get("new_password", ""), self.data.get("confirm_password", "")
        )


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
        help_text=_("The six digits your authenticator app shows now, or one of your recovery codes."),
    )
    passkey = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not (cleaned.get("code") or cleaned.get("passkey")):
            self.add_error("code", _("Type the code."))
        return cleaned


class FirstCodeForm(CodeForm):
    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        self.fields["code"].help_text = _("The six digits the app shows now.")


class PasskeyForm(forms.Form):
    name = forms.CharField(
        label=_("A name for it"),
        required=False,
        max_length=64,
        help_text=_("So that you know it again, such as “my telephone”."),
    )
    passkey = forms.CharField(max_length=20_000, widget=forms.HiddenInput)
