from .credential import Credential
from .directory import Domain, ExternalDomain, InternalDomain, User
from .group import Group
from .known_browser import KnownBrowser
from .log_in_attempt import LogInAttempt
from .session import PortalSession

__all__ = [
    "Credential",
    "Domain",
    "ExternalDomain",
    "Group",
    "InternalDomain",
    "KnownBrowser",
    "LogInAttempt",
    "PortalSession",
    "User",
]
