from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Users & Groups")

    def ready(self) -> None:
        # Each registers what the ground floor asks for: what mails say, what a bounce means, whether it is still the
        # same person, what goes when an organisation is closed, what of the directories can be a file.
        from . import bouncing, closing, directory_files, mails, reauthentication, wordings  # noqa: F401
