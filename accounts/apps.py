from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users & Groups")

    def ready(self) -> None:
        from . import mails  # noqa: F401  registers what the mails of this app say
