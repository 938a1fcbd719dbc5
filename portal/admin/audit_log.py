"""The audit log: what happened, who did it, newest first."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..console import ReadOnlyAdmin, in_words
from ..models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    list_display = ("at", "action", "actor_address", "what")
    list_display_links = ("at",)
    list_filter = ("at",)
    search_fields = ("^action", "^actor_address", "=about")
    search_help_text = _("The beginning of an action or of the address of who did it, or the id of what it is about.")
    ordering = ("-id",)
    list_per_page = 100
    fields = ("at", "action", "actor_address", "about", "what")

    @admin.display(description=_("details"))
    def what(self, event: AuditEvent) -> str:
        return in_words(event)
