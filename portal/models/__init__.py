from .audit import AuditEvent, AuditLink
from .branding import BrandImage, Branding
from .deliverability import DkimKey, MailCheck
from .imports import Import, ImportProblem
from .keys import LeafKey, RetentionKey
from .limit_use import LimitUse
from .mail_route import MailHold, MailRoute, MailSlot, MtaStsPolicy
from .notification_text import NotificationText
from .organization import Organization
from .outgoing_mail import OutgoingMail

__all__ = [
    "AuditEvent",
    "AuditLink",
    "BrandImage",
    "Branding",
    "DkimKey",
    "Import",
    "ImportProblem",
    "LeafKey",
    "LimitUse",
    "MailCheck",
    "MailHold",
    "MailRoute",
    "MailSlot",
    "MtaStsPolicy",
    "NotificationText",
    "Organization",
    "OutgoingMail",
    "RetentionKey",
]
