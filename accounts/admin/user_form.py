from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import password_rules
from ..directories import InvalidAddress, normalize_address
from ..models import Domain, Group, User
from ..roles import Role, role_of


class UserForm(forms.ModelForm):
    # Whether the administrator has just shown who they are: an open console alone sets nobody's password.
    is_confirmed = True
    new_password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "Tell it to the user yourself. It works once, for 24 hours, and only to set a password of their own; "
            "their sessions end, and they are told by mail that it was set."
        ),
    )
    confirm_password = forms.CharField(
        label=gettext_lazy("Confirm Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        required=False,
        choices=[("", gettext_lazy("may do everything")), *Role.choices],
        help_text=gettext_lazy("Of an administrator: what of the console they may use."),
    )

    member_of = forms.ModelMultipleChoiceField(
        Group.objects.none(),
        label=gettext_lazy("Groups"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("They decide which folders of definitions a licensed sender is offered."),
    )

    class Meta:
        model = User
        fields = ("organization", "address", "name", "is_licensed", "is_staff", "allow_logon")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial["role"] = role_of(self.instance)
        if "member_of" in self.fields:
            own = Group.objects.filter(organization=self.instance.organization_id)
            self.fields["member_of"].queryset = own  # type: ignore[attr-defined]
            self.initial["member_of"] = self.instance.member_of.all()

    def clean_address(self) -> str:
        try:
            return normalize_address(self.cleaned_data["address"])
        except InvalidAddress as error:
            raise ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("is_licensed") and not self._is_internal():
            self.add_error("is_licensed", _("Only internal users can be licensed senders."))
        if cleaned.get("new_password") != cleaned.get("confirm_password"):
            self.add_error("confirm_password", _("The two passwords are not the same."))
        if cleaned.get("new_password") and not self.is_confirmed:
            self.add_error("new_password", _ask_who_it_is())
        return cleaned

    def _is_internal(self) -> bool:
        if not self.instance._state.adding:
            return self.instance.is_internal
        name = self.cleaned_data.get("address", "").rpartition("@")[2]
        organization = self.cleaned_data.get("organization")
        return Domain.objects.filter(organization=organization, name=name, is_internal=True).exists()

    def _post_clean(self) -> None:
        """The password is judged once the instance carries what was typed: it must not be made of the name."""
        super()._post_clean()  # type: ignore[misc]
        if password := self.cleaned_data.get("new_password"):
            try:
                password_rules.validate(password, self.instance)
            except ValidationError as error:
                self.add_error("new_password", error)


def _ask_who_it_is() -> str:
    """In a window of its own, so that nothing typed here is lost."""
    return format_html(
        _("Setting a password takes a fresh proof of who you are: <a {}>give it in a new window</a>, then save again."),
        format_html('href="{}" target="_blank" rel="noopener"', reverse("confirm")),
    )
