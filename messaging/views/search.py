import uuid
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.http import AuthenticatedRequest
from messaging import search as searching
from messaging.models import MailboxEntry
from messaging.search import Query
from portal import limits
from portal.limits import Limit, LimitReached

from .folders import shown
from .navigation import mailbox_context, undo_offered
from .parsing import parsed_uuids

# Each costs up to seconds of a processor.
SEARCHES = Limit("search", uses=30, period=timedelta(minutes=1))
_Folder = MailboxEntry.Folder


def _day(label: Promise) -> forms.DateField:
    return forms.DateField(
        label=label,  # type: ignore[arg-type]
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2999, 12, 31))],
    )


class SearchForm(forms.Form):
    words = forms.CharField(
        label=gettext_lazy("Words"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"type": "search"}),
        help_text=gettext_lazy("In subject and text. All of them must occur."),
    )
    person = forms.CharField(label=gettext_lazy("From or to"), max_length=100, required=False)
    since = _day(gettext_lazy("Since"))
    until = _day(gettext_lazy("Until"))
    folder = forms.ChoiceField(
        label=gettext_lazy("Folder"), choices=[("", gettext_lazy("All folders")), *_Folder.choices], required=False
    )
    file = forms.CharField(label=gettext_lazy("Attachment name"), max_length=100, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("since") and cleaned.get("until") and cleaned["since"] > cleaned["until"]:
            self.add_error("until", _("This is before the first date."))
        if not self.errors and Query(**cleaned).is_empty():
            raise forms.ValidationError(_("Type what you are looking for."))
        return cleaned


@require_http_methods(["GET", "HEAD", "POST"])
def search(request: AuthenticatedRequest) -> HttpResponse:
    """The form, and what was found. What somebody typed is posted, and goes into the results' address sealed
    (messaging/search.py), so that going back to them, reloading and "search older" work as on any page."""
    if request.method == "POST":
        form = SearchForm(request.POST)
        if not form.is_valid():
            return _page(request, form, status=422)
        return redirect(_results_url(searching.sealed(Query(**form.cleaned_data), request.user)))
    token = request.GET.get("for", "")
    query = searching.unsealed(token, request.user) if token else None
    if query is None:
        return _page(request, SearchForm())
    form = SearchForm(initial=asdict(query))
    try:
        limits.use(SEARCHES, request.user.id)
    except LimitReached as reached:
        return _page(request, form, wait=reached.retry_after, status=429)
    older_than = next(iter(parsed_uuids([request.GET.get("older", "")])), None)
    return _page(request, form, **_found(request, query, token, older_than))


def _results_url(token: str, older_than: uuid.UUID | None = None) -> str:
    parameters = {"for": token} | ({"older": str(older_than)} if older_than else {})
    return f"{reverse('search')}?{urlencode(parameters)}"


def _found(request: AuthenticatedRequest, query: Query, token: str, older_than: uuid.UUID | None) -> dict[str, Any]:
    found = searching.search(request.user, query, older_than=older_than)
    lines = zip(found.hits, shown([hit.row for hit in found.hits]), strict=True)
    hits = [{**line, "folder": hit.folder, "marked": hit.subject, "snippet": hit.snippet} for hit, line in lines]
    return {
        "hits": hits,
        "searched": found,
        "older_url": _results_url(token, found.older_than) if found.older_than else None,
        "newest_url": _results_url(token) if older_than else None,
    }


def _page(request: AuthenticatedRequest, form: SearchForm, *, status: int = 200, **context: Any) -> HttpResponse:
    context = {**mailbox_context(request), "form": form, "undo": undo_offered(request), **context}
    response = render(request, "messaging/search.html", context, status=status)
    if "wait" in context:
        response.headers["Retry-After"] = str(context["wait"])
    return response
