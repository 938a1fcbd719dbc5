"""Outgoing mail: what is to leave, has left or could not, with the mail server's words. Rows hold no content."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .. import erased, outbox
from ..console import ReadOnlyAdmin
from ..models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    has_history = False
    when_empty = _("No mail yet. Each is listed from the moment it waits, with what the mail server said of it.")
    list_display = ("shown_address", "mail", "state", "due_at", "reply")
    list_filter = ("state", "due_at")
    search_fields = ("^to_address",)
    search_help_text = _("The beginning of an address.")
    ordering = ("-id",)
    list_per_page = 100
    fields = (
        "shown_address",
        "mail",
        "state",
        "due_at",
        "not_after",
        "attempts",
        "first_tried_at",
        "server_reply",
        "bounced_at",
        "bounce_words",
        "message_id",
        "finished_at",
    )

    @admin.display(description=_("to"), ordering="to_address")
    def shown_address(self, mail: OutgoingMail) -> str:
        return erased.in_words(mail.to_address)

    @admin.display(description=_("mail"), ordering="kind")
    def mail(self, mail: OutgoingMail) -> str:
        return outbox.in_words(mail.kind)

    @admin.display(description=_("server’s reply"))
    def reply(self, mail: OutgoingMail) -> str:
        return mail.server_reply

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().render_change_form(request, context, *args, **kwargs)
        response.context_data["title"] = self.mail(context["original"])
        return response
