from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Secure Messaging")

    def ready(self) -> None:
        # Each registers what its mails say; the second, how a text that was kept becomes a draft.
        from . import digests, kept_drafts, mail_server_copy, notifications, receipts, reminders, wordings  # noqa: F401
