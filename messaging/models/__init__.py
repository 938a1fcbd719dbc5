from .attachment import Attachment
from .definition import Definition
from .mailbox_entry import MailboxEntry
from .message import Message, Quote
from .recipient import Recipient

__all__ = ["Attachment", "Definition", "MailboxEntry", "Message", "Quote", "Recipient"]
