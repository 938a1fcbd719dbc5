"""The entry point of the suite's own workers: the real app, and one kind of mail that needs no message behind it.

`celery -A tests.faults.worker worker`. Nothing of this is in the portal's own code paths.
"""

import os
from email.message import EmailMessage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "securemsg.settings")

from celery.signals import import_modules

from securemsg.celery import app

KIND = "probe"


def _render(mail) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Probe"
    message.set_content(str(mail.about))
    return message


@import_modules.connect(sender=app, weak=False)
def _register(**_: object) -> None:
    """When Django has been set up, and before the first task."""
    from portal import outbox

    outbox.register(KIND, _render)


__all__ = ["app"]
