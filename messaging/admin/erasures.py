"""Erased people: the page that says beforehand what erasing means, and how far each has come."""

import uuid
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import reauthentication
from accounts.models import User
from portal.console import ReadOnlyAdmin
from portal.scoping import visible

from .. import erasing
from ..models import Erasure


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    when_empty = _(
        "Nobody has been erased. When a person asks for it, it begins on their own page among the users: “Erase”."
    )
    list_display = ("ordered_at", "user", "actor", "copies", "finished_at")
    list_select_related = ("user", "actor")
    ordering = ("-id",)
    fields = readonly_fields = ("ordered_at", "user", "actor", "copies", "finished_at")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.order_view)
        return [path("order/<uuid:user_id>/", view, name="messaging_erasure_order"), *super().get_urls()]

    def order_view(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        """Asked for on a GET, with numbers; done by the POST."""
        if not self.may(request, "order"):
            raise PermissionDenied
        actor: Any = request.user
        user = get_object_or_404(visible(request, User.objects.select_related("organization")), pk=user_id)
        # There is no way back: an open console alone is not enough for it.
        if asked := reauthentication.ask_unless_recent(request, request.path):
            return asked
        problem = erasing.why_not(actor, user)
        if request.method == "POST" and not problem:
            erasure = erasing.order(actor=actor, user=user)
            messages.success(request, gettext("The person cannot come in any more; what is left is being erased."))
            return HttpResponseRedirect(reverse("admin:messaging_erasure_change", args=[erasure.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Erase this person?"),
            "subtitle": str(user),
            "opts": self.opts,
            "original": user,
            "back": reverse("admin:accounts_user_change", args=[user.pk]),
            "problem": problem,
            "reach": erasing.reach(user),
        }
        return TemplateResponse(request, "admin/messaging/erasure/order.html", context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        response.context_data["title"] = _("Erasure")
        return response
