"""Send BCC to Mail Server: where the organisation has switched it on, a copy of what its people send goes to their own
mailbox on the organisation's own mail server. The one mail that carries a message's text outside the portal."""

from datetime import datetime
from email.message import EmailMessage

from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal import outbox
from portal.models import OutgoingMail
from portal.plain_text import plain_text

from . import attachments, bodies, rules, sealing
from .eml import body_with_quotes
from .models import MailboxEntry

KIND = "mail_server_copy"
# Mail servers refuse more; beyond it the copy names the attachments only.
MAX_ATTACHED_BYTES = 10 * 1024 * 1024


def mail_for(entry: MailboxEntry, *, due_at: datetime) -> OutgoingMail:
    """The (unsaved) mail that brings this own copy to its owner's ordinary mailbox."""
    return outbox.new_mail(
        organization=entry.message.organization,
        kind=KIND,
        about=entry.id,
        to_address=entry.owner.address,
        dedupe_key=f"{KIND}:{entry.message_id}",
        due_at=due_at,
    )


def render(mail: OutgoingMail) -> EmailMessage | None:
    """The message itself. None once it was recalled or destroyed, or where the organisation has switched copies off."""
    entry = (
        MailboxEntry.objects.filter(id=mail.about, removed_at__isnull=True)
        .select_related("message__retention_key", "message__sender", "message__organization", "owner__domain")
        .annotate(now=Now())
        .first()
    )
    if entry is None or entry.message.is_recalled() or not entry.message.organization.bcc_to_mail_server:
        return None
    if not entry.owner.is_internal:
        return None  # never outside the organisation
    return _written(entry)


def _written(entry: MailboxEntry) -> EmailMessage:
    key = sealing.open_message_key(entry)
    # What may not be downloaded does not leave by being answered or passed on either.
    is_bound = bool(rules.why_not(entry, "may_download"))
    html = _without_quotes(entry, key) if is_bound else body_with_quotes(entry, key)
    listed = attachments.listed(entry.message, key)
    attach = sum(file.size for file in listed) <= MAX_ATTACHED_BYTES and all(file.released for file in listed)
    attach = attach and not (is_bound and entry.message.forwards_id)
    if listed and not attach:
        html += "<p>{}</p>".format(_("The attachments are in the portal: %s") % len(listed))
    message = EmailMessage()
    message["Subject"] = " ".join(sealing.open_subject(entry.message, key).split())
    message.set_content(plain_text(html))
    message.add_alternative(html, subtype="html")
    for row in entry.message.attachments.all() if attach else []:
        content = b"".join(attachments.open_attachment(row, key))
        name = sealing.open_attachment_name(row, key)
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


def _without_quotes(entry: MailboxEntry, key: bytes) -> str:
    instead = _("What this message quotes may not leave the portal. You can read it there.")
    return f"{bodies.shown(sealing.open_body(entry.message, key))}<p>{instead}</p>"


outbox.register(KIND, render, label=gettext_lazy("Copy to the mail server"))
