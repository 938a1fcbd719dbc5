from .attachment import Attachment, AttachmentFetch
from .definition import Definition
from .licence import BulkSenderPack, RecipientUse
from .mailbox_entry import MailboxEntry
from .message import Message, Quote
from .recipient import Recipient

__all__ = [
    "Attachment",
    "AttachmentFetch",
    "BulkSenderPack",
    "Definition",
    "MailboxEntry",
    "Message",
    "Quote",
    "Recipient",
    "RecipientUse",
]
