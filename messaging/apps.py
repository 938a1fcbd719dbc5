from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Secure Messaging")

    def ready(self) -> None:
        # Each registers itself: what can be a file, what mails say, what is measured, and how a text that was kept
        # becomes a draft.
        from . import definition_files, licence_files  # noqa: F401, I001
        from . import approved_reading, closing, digests, erasing, kept_drafts, mail_server_copy  # noqa: F401
        from . import infected_files, notifications, purge_lag, receipts, reminders, wordings  # noqa: F401
