"""What the visitor at the log-in page was not told: looked up by the reference code that stood below the error."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from portal.console import ReadOnlyAdmin

from ..models import LogInAttempt


@admin.register(LogInAttempt)
class LogInAttemptAdmin(ReadOnlyAdmin):
    has_history = False
    when_empty = _(
        "Nobody has tried to log in yet. Whoever calls about it reads out a reference code, which is looked up here."
    )
    list_display = ("reference", "at", "address", "cause", "network")
    list_filter = ("cause", "at")
    search_fields = ("=reference", "^address")
    search_help_text = _("The reference code, or the beginning of an address.")
    ordering = ("-id",)
    list_per_page = 100
    fields = ("reference", "at", "address", "cause", "user", "url", "browser", "network")
