from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Secure Messaging")

    def ready(self) -> None:
        from . import mail_server_copy, notifications, receipts  # noqa: F401  register what the mails of this app say
