"""Secure Messaging: search of all messages, and recall of those ticked. No subject and no body: administrators hold no
copy of a message, hence no key to it."""

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from portal import moments
from portal.console import ReadOnlyAdmin
from portal.dates import in_full
from portal.models import Organization
from portal.scoping import is_operator, visible
from portal.templatetags.console import breakable

from .. import mass_recall, tracking, traffic
from ..models import Message
from ..traffic import Search

DEFAULT_HOURS = 48
STATUSES = [
    ("", _("any")),
    ("open", _("can be read")),
    ("expired", _("expired")),
    ("recalled", _("recalled")),
    ("purged", _("destroyed")),
]
_MOMENT = "%Y-%m-%dT%H:%M"


class MomentField(forms.DateTimeField):
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_MOMENT)


class SearchForm(forms.Form):
    start = MomentField(label=_("Sent from"), required=False)
    end = MomentField(label=_("Until"), required=False)
    status = forms.ChoiceField(label=_("Status"), required=False, choices=STATUSES)
    sender = forms.CharField(label=_("Sender"), required=False, max_length=320)
    recipient = forms.CharField(label=_("Recipient"), required=False, max_length=320)
    organization = forms.ModelChoiceField(
        label=_("Organisation"),
        required=False,
        queryset=Organization.objects.order_by("name"),
        empty_label=_("any"),
    )

    def __init__(self, request: HttpRequest, typed: Any) -> None:
        end = timezone.localtime(moments.now()).replace(second=0, microsecond=0) + timedelta(minutes=1)
        self.usual = {"start": end - timedelta(hours=DEFAULT_HOURS), "end": end}
        shown = {name: timezone.localtime(moment).strftime(_MOMENT) for name, moment in self.usual.items()}
        super().__init__({**shown, **{name: value for name, value in typed.items() if value}})
        if not is_operator(request):
            del self.fields["organization"]

    def clean(self) -> dict[str, Any]:
        cleaned = {**self.usual, **{name: value for name, value in (super().clean() or {}).items() if value}}
        if cleaned["start"] >= cleaned["end"]:
            self.add_error("end", gettext("The end is not after the beginning."))
        return cleaned

    def standing_still(self) -> str:
        """The search as a query string in which the usual time is written out."""
        return urlencode({name: value for name, value in self.data.items() if name in self.fields})

    def search(self) -> Search:
        fields = ("start", "end", "sender", "recipient", "status", "organization")
        return Search(**{name: self.cleaned_data[name] for name in fields if name in self.cleaned_data})


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The list is not Django's: that counts all there is, and pages by number."""

    fields = readonly_fields = ("from_", "sent", "expires", "status", "definition_name", "recipients_table")
    list_display = ("sent",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return visible(request, traffic.described(Message.objects.all()))

    def called(self, row: Message) -> str:
        """It has no name; so does the page on which one asks to read it call it."""
        return f"{row.sender}, {in_full(row.sent_at)}"

    # --- One message ------------------------------------------------------------------------------------------

    @admin.display(description=_("from"))
    def from_(self, message: Message) -> str:
        return breakable(str(message.sender))

    @admin.display(description=_("sent"))
    def sent(self, message: Message) -> str:
        return in_full(message.sent_at)

    @admin.display(description=_("expires"))
    def expires(self, message: Message) -> str:
        return in_full(message.expires_at) or gettext("never")

    @admin.display(description=_("status"))
    def status(self, message: Message) -> str:
        return traffic.status_in_words(message)

    @admin.display(description=_("definition"))
    def definition_name(self, message: Message) -> str:
        return message.definition.description if message.definition else ""

    @admin.display(description=_("recipients"))
    def recipients_table(self, message: Message) -> str:
        return render_to_string("admin/messaging/message/recipients.html", {"tracked": tracking.tracking(message, {})})

    def render_change_form(self, request: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        response.context_data |= {
            "title": gettext("Message"),
            "may_recall": self.may(request, "recall") and not context["original"].recalled_at,
            "may_ask": self.may(request, "read"),
        }
        return response

    # --- The search -------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            return self._recall(request)
        form = SearchForm(request, request.GET.dict())
        page = None
        if form.is_valid():
            page = traffic.page(visible(request, Message.objects.all()), form.search(), request.GET.get("before", ""))
        return self._page(request, form, page)

    def _page(self, request: HttpRequest, form: SearchForm, page: traffic.Page | None) -> HttpResponse:
        asked = request.GET.copy()
        asked.pop("before", None)
        rows = page.rows if page else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("Secure Messaging search"),
            "subtitle": None,
            "opts": self.opts,
            "form": form,
            "rows": [(row, traffic.to_in_words(row), traffic.status_in_words(row)) for row in rows],
            "result_list": rows,
            "older_than": page.older_than if page else "",
            "asked": asked.urlencode(),
            "preserved_filters": self.get_preserved_filters(request),
            "tells_organizations_apart": is_operator(request),
            "may_recall": self.may(request, "recall"),
        }
        return TemplateResponse(request, "admin/messaging/message/search.html", context)

    # --- Recall of a selection --------------------------------------------------------------------------------

    def _recall(self, request: HttpRequest) -> HttpResponse:
        """First what it would take back, then, confirmed, done: a few at once, the rest by the worker."""
        if not self.may(request, "recall"):
            raise PermissionDenied
        selected = self._selected(request)
        if not selected:
            messages.error(request, gettext("Nothing is selected. Tick the messages to recall first."))
            return HttpResponseRedirect(request.get_full_path())
        if len(selected) > mass_recall.MOST_MESSAGES:
            text = gettext("More than %d messages at once cannot be recalled. Please narrow the search.")
            messages.error(request, text % mass_recall.MOST_MESSAGES)
            return HttpResponseRedirect(request.get_full_path())
        if "confirmed" not in request.POST:
            return self._confirmation(request, selected)
        return self._ordered(request, selected)

    def _selected(self, request: HttpRequest) -> dict[uuid.UUID, uuid.UUID]:
        """{message: its organisation} of what is ticked, or of all that the search finds; nothing foreign."""
        sent = visible(request, Message.objects.filter(sent_at__isnull=False, recalled_at__isnull=True))
        if "all" in request.POST:
            form = SearchForm(request, request.GET.dict())
            wanted = traffic.found(sent, form.search()) if form.is_valid() else sent.none()
            # What was sent after the page asked "are you sure?" was not in its number.
            if asked_at := _parsed(request.POST.get("asked_at", "")):
                wanted = wanted.filter(sent_at__lt=asked_at)
        else:
            wanted = sent.filter(pk__in=_uuids(request.POST.getlist("message")))
        return dict(wanted.values_list("pk", "organization")[: mass_recall.MOST_MESSAGES + 1])

    def _confirmation(self, request: HttpRequest, selected: dict[uuid.UUID, uuid.UUID]) -> HttpResponse:
        is_all = "all" in request.POST
        # All that was found stays a search, of a time that stands still: thousands of ids are more than a form carries.
        query = SearchForm(request, request.GET.dict()).standing_still() if is_all else ""
        context = {
            **self.admin_site.each_context(request),
            "title": _("Recall"),
            "subtitle": None,
            "opts": self.opts,
            "count": len(selected),
            "quotes": _quotes(set(selected.values())),
            "ticked": [] if is_all else list(selected),
            "asked_at": moments.now().isoformat() if is_all else "",
            "action": f"{request.path}?{query}",
            "back": request.get_full_path(),
        }
        return TemplateResponse(request, "admin/messaging/message/recall.html", context)

    def _ordered(self, request: HttpRequest, selected: dict[uuid.UUID, uuid.UUID]) -> HttpResponse:
        actor: Any = request.user
        orders = [
            mass_recall.order(
                actor=actor,
                organization=organization,
                message_ids=[k for k, v in selected.items() if v == organization.pk],
            )
            for organization in Organization.objects.filter(pk__in=set(selected.values()))
        ]
        mass_recall.work_off(limit=mass_recall.AT_ONCE, seconds=2)
        count = len(selected)
        text = ngettext("%d message is being recalled.", "%d messages are being recalled.", count) % count
        messages.success(request, text)
        return HttpResponseRedirect(reverse("admin:messaging_massrecall_change", args=[orders[0].pk]))


def _quotes(organization_ids: set[uuid.UUID]) -> str:
    """What becomes of what replies and forwards quote: the organisations of a selection may differ."""
    organizations = Organization.objects.filter(pk__in=organization_ids)
    chosen = set(organizations.values_list("recall_destroys_quotes", flat=True))
    return "" if len(chosen) > 1 else "destroyed" if True in chosen else "kept"


def _parsed(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _uuids(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
