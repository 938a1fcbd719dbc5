"""Notifications that wait: `python -m benchmarks.mail_backlog MAILS` sends messages to 500 people each and lets none
leave. With `sent`, it prints how many have ended and wait. In a process of its own, with the settings of the portal."""

import json
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "securemsg.settings"

PEOPLE = 500


def main(what: str) -> None:
    import django

    django.setup()
    print(json.dumps(_ended() if what == "sent" else _waiting(int(what))))


def _waiting(mails: int) -> int:
    """Everything from the sender's compose form on, by the portal's own code; returns how many wait."""
    from accounts.models import User
    from messaging import drafts, sending
    from portal.ids import uuid7
    from portal.models import Organization, OutgoingMail

    Organization.objects.update(hourly_notifications=0)
    sender = User.objects.select_related("organization", "domain").get(address="sender0@inside.example")
    while (left := mails - OutgoingMail.objects.count()) > 0:
        to = ", ".join(f"r{number}@outside.example" for number in range(min(left, PEOPLE)))
        text = drafts.DraftText(to=to, subject="About your papers", body="<p>They are ready.</p>")
        entry = drafts.save_draft(actor=sender, message_id=uuid7(), entry=None, text=text).entry
        sending.send_draft(actor=sender, entry=entry)
    return OutgoingMail.objects.filter(finished_at__isnull=True).count()


def _ended() -> dict[str, int]:
    from django.db.models import Count

    from portal.models import OutgoingMail

    return dict(OutgoingMail.objects.order_by().values_list("state").annotate(n=Count("pk")))


if __name__ == "__main__":
    main(sys.argv[1])
