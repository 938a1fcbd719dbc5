from .activity import Activity
from .approved_reading import ApprovedReading
from .attachment import Attachment, AttachmentFetch
from .definition import Definition, DefinitionFolder
from .erasure import Erasure
from .licence import BulkSenderPack, LicensedSender, RecipientUse
from .mailbox_entry import MailboxEntry
from .mass_recall import MassRecall, MassRecallItem
from .message import Message, Quote
from .recipient import Recipient
from .signature import Signature

__all__ = [
    "Activity",
    "ApprovedReading",
    "Attachment",
    "AttachmentFetch",
    "BulkSenderPack",
    "Definition",
    "DefinitionFolder",
    "Erasure",
    "LicensedSender",
    "MailboxEntry",
    "MassRecall",
    "MassRecallItem",
    "Message",
    "Quote",
    "Recipient",
    "RecipientUse",
    "Signature",
]
