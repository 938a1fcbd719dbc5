"""Groups of people. Members are written as addresses, one a line: they come from lists, and thousands of them are
no matter for a page of checkboxes."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.console import OrganizationScopedAdmin
from portal.scoping import ScopedForm

from ..directories import InvalidAddresses, parse_addresses
from ..models import Group, User

MAX_UNKNOWN_NAMED = 10


class GroupForm(ScopedForm):
    addresses = forms.CharField(
        label=gettext_lazy("Members"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Email addresses of internal users, one a line or with commas between; a pasted list is taken as it is."
        ),
    )

    class Meta:
        model = Group
        fields = ("organization", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            members = self.instance.members.order_by("address").values_list("address", flat=True)
            self.initial["addresses"] = "\n".join(members)

    def clean_name(self) -> str:
        """It is written among addresses, in To, Cc and Bcc."""
        name: str = self.cleaned_data["name"]
        if set(name) & set(",;@"):
            raise ValidationError(_("Leave out commas, semicolons and @: people write the name among addresses."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            wanted = [parsed.address for parsed in parse_addresses(cleaned.get("addresses", ""))]
        except InvalidAddresses as error:
            self.add_error("addresses", [why for _text, why in error.problems[:MAX_UNKNOWN_NAMED]])
            return cleaned
        own = User.objects.filter(organization=self.own_organization(), domain__is_internal=True)
        cleaned["members"] = list(own.filter(address__in=wanted))
        if unknown := sorted(set(wanted) - {user.address for user in cleaned["members"]}):
            self.add_error("addresses", _unknown_in_words(unknown))
        return cleaned

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]
        self.instance.members.set(self.cleaned_data["members"])


def _unknown_in_words(unknown: list[str]) -> ValidationError:
    named = ", ".join(unknown[:MAX_UNKNOWN_NAMED])
    if more := len(unknown) - MAX_UNKNOWN_NAMED:
        named = _("%(named)s and %(count)d more") % {"named": named, "count": more} if more > 0 else named
    return ValidationError(_("No internal user has this address: %s.") % named)


@admin.register(Group)
class GroupAdmin(OrganizationScopedAdmin):
    form = GroupForm
    when_empty = gettext_lazy(
        "No group yet. Groups decide who is offered which folder of definitions: add one, with its members’ addresses."
    )
    list_display = ("name", "number_of_members")
    search_fields = ("name",)
    ordering = ("name",)
    fields = ("name", "addresses")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(number_of_members=Count("members"))

    @admin.display(description=gettext_lazy("members"), ordering="number_of_members")
    def number_of_members(self, group: Any) -> int:
        return group.number_of_members
