"""The mail check: what receivers find in the DNS about an organisation's mail, and what to publish, in words."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import mail_check
from ..console import OrganizationScopedAdmin
from ..models import MailCheck
from ..scoping import is_operator, own_organization

TITLES = {
    "from": gettext_lazy("From"),
    "mx": gettext_lazy("Answers and bounces (MX)"),
    "spf": gettext_lazy("Who may send (SPF)"),
    "dkim": gettext_lazy("Signature (DKIM)"),
    "dmarc": gettext_lazy("What receivers do with forgeries (DMARC)"),
    "reverse": gettext_lazy("Reverse name"),
}
# (check, verdict) → what it means, and what to do.
WORDS = {
    ("from", "is"): gettext_lazy("Your mail comes from this address. The checks below are about its domain."),
    ("mx", "good"): gettext_lazy("The domain takes mail, so what is answered or bounces arrives somewhere."),
    ("mx", "missing"): gettext_lazy("The domain takes no mail. Some receivers refuse mail from such a domain."),
    ("spf", "good"): gettext_lazy(
        "The record is there. Make sure that it names the server or relay your mail leaves by."
    ),
    ("spf", "missing"): gettext_lazy(
        "There is no record. Publish one that names the server or relay your mail leaves by."
    ),
    ("spf", "several"): gettext_lazy(
        "There is more than one record, which receivers take for none. Merge them into one."
    ),
    ("spf", "weak"): gettext_lazy("The record allows everybody to send as you. Let it end in -all or ~all."),
    ("dkim", "good"): gettext_lazy("The record is there and is your newest key's. Mail is signed with it."),
    ("dkim", "no_key"): gettext_lazy(
        "There is no key for this domain, so mail is not signed. Make one under DKIM keys."
    ),
    ("dkim", "missing"): gettext_lazy(
        "The newest key's record is not there yet, so the key does not sign. Publish it."
    ),
    ("dkim", "other"): gettext_lazy("Under the newest key's name stands another record. Replace it."),
    ("dmarc", "good"): gettext_lazy("The record is there and asks receivers to stop forgeries."),
    ("dmarc", "missing"): gettext_lazy(
        "There is no record. Without one, large receivers distrust mail to many people."
    ),
    ("dmarc", "weak"): gettext_lazy("The record only watches (p=none): forgeries of your address are delivered."),
    ("reverse", "relay"): gettext_lazy("Your mail leaves by a relay; its reverse name is the relay's matter."),
    ("reverse", "good"): gettext_lazy("The sending machine's addresses lead back to its name."),
    ("reverse", "no_address"): gettext_lazy("The name that the sending machine gives itself is not in the DNS."),
    ("reverse", "other"): gettext_lazy(
        "An address of the sending machine does not lead back to its name. Whoever gives you the address sets that."
    ),
}
SILENT = gettext_lazy("The DNS did not answer. Check again later.")
VERDICTS = {
    "good": gettext_lazy("good"),
    "is": "",  # a fact: neither good nor bad
    "relay": "",
    "silent": gettext_lazy("unknown"),
}


@admin.register(MailCheck)
class MailCheckAdmin(OrganizationScopedAdmin):
    """One page; its button has the check done anew, by a worker."""

    only_one = True
    when_empty = gettext_lazy("No organisation’s mail has been checked yet.")
    change_form_template = "admin/portal/mailcheck/change_form.html"
    list_display = ("organization", "checked_at")
    ordering = ("organization",)
    fields = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        own, _made = MailCheck.objects.get_or_create(organization=own_organization(request))
        if is_operator(request):
            return super().changelist_view(request, extra_context)
        return HttpResponseRedirect(reverse("admin:portal_mailcheck_change", args=[own.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        shown = {"check": row, "findings": [_in_words(finding) for finding in row.findings] if row else []}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: MailCheck, form: Any, change: bool) -> None:
        mail_check.request(obj)

    def response_change(self, request: HttpRequest, obj: MailCheck) -> HttpResponse:
        return HttpResponseRedirect(request.path)


def _in_words(finding: dict[str, Any]) -> dict[str, Any]:
    check, verdict = finding["check"], finding["verdict"]
    return {
        **finding,
        "title": TITLES[check],
        "words": WORDS.get((check, verdict), SILENT),
        "label": VERDICTS.get(verdict, _("to do")),
        "is_to_do": verdict not in VERDICTS,
    }
