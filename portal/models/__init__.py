from .audit import AuditEvent, AuditLink
from .keys import LeafKey, RetentionKey
from .limit_use import LimitUse
from .organization import Organization
from .outgoing_mail import OutgoingMail

__all__ = ["AuditEvent", "AuditLink", "LeafKey", "LimitUse", "Organization", "OutgoingMail", "RetentionKey"]
