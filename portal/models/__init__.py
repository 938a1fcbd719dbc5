from .audit import AuditEvent, AuditLink
from .keys import LeafKey, RetentionKey
from .organization import Organization
from .outgoing_mail import OutgoingMail

__all__ = ["AuditEvent", "AuditLink", "LeafKey", "Organization", "OutgoingMail", "RetentionKey"]
