from .credential import Credential
from .directory import Domain, ExternalDomain, InternalDomain, User
from .group import Group
from .kept_text import KeptText
from .known_browser import KnownBrowser
from .log_in_attempt import LogInAttempt
from .mail_request import MailRequest
from .old_password import OldPassword
from .second_factor import Passkey, RecoveryCode, SecondFactor, TotpDevice
from .session import PortalSession

__all__ = [
    "Credential",
    "Domain",
    "ExternalDomain",
    "Group",
    "InternalDomain",
    "KeptText",
    "KnownBrowser",
    "LogInAttempt",
    "MailRequest",
    "OldPassword",
    "Passkey",
    "PortalSession",
    "RecoveryCode",
    "SecondFactor",
    "TotpDevice",
    "User",
]
