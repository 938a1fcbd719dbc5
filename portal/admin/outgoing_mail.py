"""Outgoing mail: what is to leave, has left or could not, with the mail server's words. Rows hold no content."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..console import ReadOnlyAdmin
from ..models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ReadOnlyAdmin):
    list_display = ("to_address", "kind", "state", "due_at", "finished_at", "attempts", "server_reply")
    list_filter = ("state", "due_at")
    search_fields = ("^to_address",)
    search_help_text = _("The beginning of an address.")
    ordering = ("-id",)
    list_per_page = 100
    fields = (
        "to_address",
        "kind",
        "about",
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
