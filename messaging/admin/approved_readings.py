"""Reading a message's body as an administrator: asking, deciding, and the one page with a frame that shows it."""

from typing import Any

from csp.decorators import csp
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from portal import confirmation, moments
from portal.console import ReadOnlyAdmin
from portal.dates import in_full
from portal.scoping import may, visible

from .. import approved_reading
from ..models import ApprovedReading, Message
from ..views.body import IN_THE_FRAME, written


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 300})
    )


@admin.register(ApprovedReading)
class ApprovedReadingAdmin(ReadOnlyAdmin):
    when_empty = _(
        "Nobody has asked to read a message. It begins on a message’s page, and takes another administrator’s approval."
    )
    list_display = ("asked_at", "asked_by", "decided_by", "state")
    list_select_related = ("asked_by", "decided_by")
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).select_related("organization", "asked_by", "decided_by", "message__sender")
        return rows.defer("message__subject", "message__body", "message__draft_recipients")

    @admin.display(description=_("state"))
    def state(self, asked: ApprovedReading) -> str:
        now = moments.now()
        if asked.decided_at is None:
            is_void = asked.asked_at < now - approved_reading.DECIDE_WITHIN
            return gettext("not decided in time") if is_void else gettext("waits for approval")
        if asked.readable_until is None:
            return gettext("refused")
        return gettext("approved") if asked.is_readable(now) else gettext("over")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        in_the_frame = csp(IN_THE_FRAME)(xframe_options_sameorigin(require_safe(self.body_view)))  # type: ignore[arg-type]
        decide = require_POST(self.decide_view)
        return [
            path("ask/<uuid:message_id>/", wrap(self.ask_view), name="messaging_approvedreading_ask"),
            path("<uuid:asked_id>/decide/", wrap(decide), name="messaging_approvedreading_decide"),
            path("<uuid:asked_id>/body/", wrap(in_the_frame), name="messaging_approvedreading_body"),
            *super().get_urls(),
        ]

    def ask_view(self, request: HttpRequest, message_id: Any) -> HttpResponse:
        actor: Any = request.user
        if not may(request, Message, "read"):
            raise PermissionDenied
        sent = visible(request, Message.objects.filter(sent_at__isnull=False).defer("subject", "body"))
        message = sent.select_related("organization", "sender").filter(pk=message_id).first()
        if message is None:
            raise Http404
        form = ReasonForm(request.POST or None)
        problem = approved_reading.why_not(message)
        if form.is_valid() and not problem:
            asked = approved_reading.ask(actor=actor, message=message, reason=form.cleaned_data["reason"])
            messages.success(request, gettext("You have asked. Another administrator decides."))
            return HttpResponseRedirect(reverse("admin:messaging_approvedreading_change", args=[asked.pk]))
        context = self._context(
            request,
            title=gettext("Ask to read a message"),
            subtitle=f"{message.sender}, {in_full(message.sent_at)}",
            back=reverse("admin:messaging_message_change", args=[message.pk]),
            form=form,
            problem=problem,
        )
        return TemplateResponse(request, "admin/messaging/approvedreading/ask.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        asked = self._asked(request, object_id)
        if request.method == "POST":
            raise PermissionDenied
        is_ones_own = asked.asked_by_id == request.user.pk
        waits = asked.decided_at is None and asked.asked_at > moments.now() - approved_reading.DECIDE_WITHIN
        context = self._context(
            request,
            title=gettext("Reading of a message"),
            original=asked,
            asked=asked,
            state=self.state(asked),
            may_decide=waits and not is_ones_own and may(request, Message, "approve"),
            may_read=is_ones_own and asked.is_readable(moments.now()),
            problem=approved_reading.why_not(asked.message),
        )
        return TemplateResponse(request, "admin/messaging/approvedreading/reading.html", context)

    def decide_view(self, request: HttpRequest, asked_id: Any) -> HttpResponse:
        actor: Any = request.user
        asked = self._asked(request, asked_id)
        if not may(request, Message, "approve"):
            raise PermissionDenied
        page = reverse("admin:messaging_approvedreading_change", args=[asked.pk])
        if again := confirmation.asked_again(request, page):
            return again
        try:
            approved_reading.decide(actor=actor, asked=asked, approved="approve" in request.POST)
        except approved_reading.NotPossible as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(page)

    def body_view(self, request: HttpRequest, asked_id: Any) -> HttpResponse:
        """The only page of the console that shows what somebody wrote: for whoever asked, while the approval lasts."""
        actor: Any = request.user
        asked = self._asked(request, asked_id)
        if asked.asked_by_id != actor.pk or not may(request, Message, "read"):
            raise Http404
        try:
            message, key = approved_reading.read(actor=actor, asked=asked)
        except approved_reading.NotPossible as error:
            return render(request, "messaging/body_gone.html", {"why": str(error)}, status=410)
        return render(request, "messaging/body.html", written(message, key))

    def _asked(self, request: HttpRequest, asked_id: Any) -> ApprovedReading:
        asked = self.get_object(request, asked_id)
        if asked is None or not self.has_view_permission(request, asked):
            raise Http404
        return asked

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "subtitle": None, "opts": self.opts, **more}
