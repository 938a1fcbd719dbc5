"""What follows when a file that has been sent already proves infected: the author of every message that carries it, and
the administrators, are told by mail; of the file and the message nothing but when it was sent, as in any mail. Readers
see it beside the file.
"""

from django.utils.translation import gettext_lazy

from accounts.models import User
from portal import letters, outbox
from portal.models import AuditEvent, OutgoingMail

from . import notifications
from .models import Attachment, AttachmentFetch, MailboxEntry, Message

KIND = "infected_file"


def tell(event: AuditEvent, message: Message) -> None:
    """Enqueue the mails about the event, in the caller's transaction; one for each person."""
    administrators = User.objects.filter(organization=event.organization, is_staff=True, disabled_at__isnull=True)
    addresses = {message.sender.address, *administrators.values_list("address", flat=True)}
    mails = [
        outbox.new_mail(
            organization=event.organization,
            kind=KIND,
            about=event.pk,
            to_address=address,
            dedupe_key=f"{KIND}:{event.pk}:{address}",
            due_at=event.at,
        )
        for address in sorted(addresses)
    ]
    outbox.enqueue(mails)


def render(mail: OutgoingMail) -> letters.Letter | None:
    """In whose message of when a virus was found, and how many had fetched it. None once the message is no more."""
    event = AuditEvent.objects.get(pk=mail.about)
    message = Message.objects.select_related("sender").filter(pk=event.about).first()  # type: ignore[misc]
    if message is None:
        return None
    is_author = mail.to_address == message.sender.address
    copy = MailboxEntry.objects.filter(message=message, kind=MailboxEntry.Kind.SENT).first() if is_author else None
    fetches = AttachmentFetch.objects.filter(attachment__message=message, attachment__scan=Attachment.Scan.INFECTED)
    return letters.written(
        mail.organization,
        gettext_lazy("A virus was found in an attachment"),
        "messaging/mail/infected_file",
        message=message,
        is_author=is_author,
        virus=event.details["virus"],
        fetched=fetches.values("recipient").distinct().count(),
        url=notifications.link_to(mail.organization, copy) if copy else None,
    )


outbox.register(KIND, render, label=gettext_lazy("Virus found in an attachment"))
