"""What is still being written in one window when another has sent the message: it is kept, as a draft of its own.
Nothing is kept where all of it was sent: a button may be pressed twice."""

import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from portal.ids import uuid7

from . import attachments, drafts, sealing
from .addressing import read_addresses
from .drafts import DraftText, SavedDraft
from .forms import ComposeForm
from .models import MailboxEntry
from .uploads import SealedUpload


@transaction.atomic
def keep(
    *, actor: User, message_id: uuid.UUID, form: ComposeForm, uploads: Sequence[SealedUpload] = (), is_repeated: bool
) -> SavedDraft | None:
    """The draft with what the form has beyond the message that was sent; None where that is nothing. is_repeated: it
    came with the button that sends, so that files like those that went are those."""
    sent = _sent_copy(actor, message_id)
    before = _as_sent(sent) if sent else DraftText()
    text = form.text(before)
    files = _beyond(sent, uploads) if sent and is_repeated else list(uploads)
    if _is_the_same(text, before, actor) and not files:
        return None
    entry = drafts.second(sent, text) if sent else drafts.create(actor, uuid7(), text)
    entry.message.window = text.window
    entry.message.save(update_fields=["window"])
    return SavedDraft(entry, attachments.attach(entry.message, sealing.open_message_key(entry), files))


def _sent_copy(actor: User, message_id: uuid.UUID) -> MailboxEntry | None:
    """Where it can be opened still: its author may have removed it."""
    copies = MailboxEntry.objects.filter(message=message_id, owner=actor, kind=MailboxEntry.Kind.SENT)
    return (
        copies.filter(removed_at__isnull=True).select_related("message__retention_key", "owner__organization").first()
    )


def _as_sent(sent: MailboxEntry) -> DraftText:
    message, key = sent.message, sealing.open_message_key(sent)
    listed = list(message.recipients.order_by("id").values_list("role", "address"))
    typed = {role: ", ".join(address for its, address in listed if its == role) for role in ("to", "cc", "bcc")}
    return DraftText(
        to=typed["to"],
        cc=typed["cc"],
        bcc=typed["bcc"],
        subject=sealing.open_subject(message, key),
        body=sealing.open_body(message, key),
        definition=message.definition_id,
    )


def _is_the_same(text: DraftText, before: DraftText, actor: User) -> bool:
    """In its words, and to nobody else."""
    if (text.subject, text.body) != (before.subject, before.body):
        return False
    (typed, _problems), (known, _none) = read_addresses(text, actor), read_addresses(before, actor)
    return {person.address for person in typed} <= {person.address for person in known}


def _beyond(sent: MailboxEntry, uploads: Sequence[SealedUpload]) -> list[SealedUpload]:
    """Files that did not go with it."""
    went = attachments.listed(sent.message, sealing.open_message_key(sent)) if uploads else []
    known = {(file.name, file.size) for file in went}
    return [upload for upload in uploads if (upload.name, upload.size) not in known]
