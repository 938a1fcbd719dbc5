from .attachment import Attachment, AttachmentFetch
from .definition import Definition, DefinitionFolder
from .licence import BulkSenderPack, RecipientUse
from .mailbox_entry import MailboxEntry
from .message import Message, Quote
from .recipient import Recipient

__all__ = [
    "Attachment",
    "AttachmentFetch",
    "BulkSenderPack",
    "Definition",
    "DefinitionFolder",
    "MailboxEntry",
    "Message",
    "Quote",
    "Recipient",
    "RecipientUse",
]
