"""Licences and usage: who may write to anyone, how many different external recipients that took, and Bulk Sender
packs. Giving and taking a licence is on the user's own page."""

from datetime import date
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.filters import SimpleListFilter
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin.address import address
from accounts.models import User
from portal import moments
from portal.charts import Chart, bar_chart
from portal.console import OrganizationScopedAdmin
from portal.scoping import is_operator, may, own_organization, visible

from .. import bulk_sender_packs, licences
from ..models import BulkSenderPack, LicensedSender, RecipientUse


class MonthField(forms.DateField):
    """A month, as its first day; typed as 2030-01 where the browser has no such field."""

    widget = forms.DateInput(attrs={"type": "month", "placeholder": "2030-01"}, format="%Y-%m")
    input_formats = ("%Y-%m",)


class PackForm(forms.ModelForm):
    first_month = MonthField(label=_("From"), help_text=_("The first month it counts for."))
    last_month = MonthField(label=_("Until"), required=False, help_text=_("The last one. Empty: until further notice."))

    class Meta:
        model = BulkSenderPack
        fields = ("recipients", "first_month", "last_month")


class PackInline(admin.StackedInline):
    model = BulkSenderPack
    form = PackForm
    extra = 1
    verbose_name_plural = _("Bulk Sender packs")

    # Whoever may look at or keep the sender's page may do so with its packs: the page is scoped.
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, LicensedSender, "view")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, LicensedSender, "change")

    has_add_permission = has_delete_permission = has_change_permission


class NearFilter(SimpleListFilter):
    title = _("limit")
    parameter_name = "limit"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("near", _("near or at the limit"))]

    def queryset(self, request: Any, queryset: QuerySet) -> QuerySet:
        return licences.near_limit(queryset) if self.value() == "near" else queryset


@admin.register(LicensedSender)
class LicensedSenderAdmin(OrganizationScopedAdmin):
    """Those with a licence, and those who used one: the sum of the list is what RecipientUse holds."""

    file_kind = "licences"
    when_empty = _("Nobody has a licence yet. It is given on a user’s own page, or by importing a file.")
    list_display = (address, "name", "licence", "used", "limit", "left", "near")
    list_filter = (NearFilter,)
    search_fields = ("address", "name")
    list_select_related = ("domain", "organization")
    inlines = (PackInline,)
    fields = readonly_fields = ("licence", "this_month", "months")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        uses = RecipientUse.objects.filter(sender=OuterRef("pk"))
        senders = visible(request, LicensedSender.objects.filter(Q(is_licensed=True) | Exists(uses)))
        return licences.with_usage(senders, moments.now())

    def get_ordering(self, request: HttpRequest) -> Any:
        return ("-used", "address")

    @admin.display(description=_("licence"), ordering="is_licensed")
    def licence(self, sender: LicensedSender) -> SafeString:
        held = gettext("licensed") if sender.is_licensed else gettext("taken away")
        return format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_change", args=[sender.pk]), held)

    @admin.display(description=_("used this month"), ordering="used")
    def used(self, sender: Any) -> int:
        return sender.used

    @admin.display(description=_("limit"), ordering="limit")
    def limit(self, sender: Any) -> int:
        return sender.limit

    @admin.display(description=_("left"))
    def left(self, sender: Any) -> int:
        return licences.Usage(sender.used, sender.limit).left

    @admin.display(description=_("near the limit"))
    def near(self, sender: Any) -> str:
        usage = licences.Usage(sender.used, sender.limit)
        if not usage.is_near:
            return ""
        return gettext("near") if usage.left else gettext("used up")

    @admin.display(description=_("this month"))
    def this_month(self, sender: Any) -> str:
        numbers = {"used": sender.used, "limit": sender.limit}
        return gettext("%(used)d of %(limit)d external recipients used") % numbers

    @admin.display(description=_("by month"))
    def months(self, sender: Any) -> SafeString:
        return chart_of(RecipientUse.objects.filter(sender=sender.pk), sender.month).drawn()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        uses = RecipientUse.objects.all()
        if not is_operator(request):
            uses = uses.filter(sender__organization=own_organization(request))
        month = licences.month_in(own_organization(request).time_zone, moments.now())
        chart = chart_of(uses, month)
        return super().changelist_view(request, {"chart": chart, **(extra_context or {})})

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save()
        found = [("added", pack) for pack in formset.new_objects]
        found += [("changed", pack) for pack, _fields in formset.changed_objects]
        found += [("removed", pack) for pack in formset.deleted_objects]
        for what, pack in found:
            bulk_sender_packs.record(actor=request.user, pack=pack, what=what)


def chart_of(uses: QuerySet[RecipientUse], until: date) -> Chart:
    """Unique external recipients in each of the twelve months up to this one."""
    points = [(date_format(month, "M Y"), used) for month, used in licences.used_by_month(uses, until)]
    return bar_chart(
        gettext("Unique external recipients by month"), gettext("Month"), gettext("Unique recipients"), points
    )


def users_near_limit(users: QuerySet[User]) -> QuerySet[User]:
    """Licensed senders near or at this month's limit."""
    return licences.near_limit(licences.with_usage(users.filter(is_licensed=True), moments.now()))
