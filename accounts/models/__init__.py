from .credential import Credential
from .directory import Domain, User
from .log_in_attempt import LogInAttempt
from .session import PortalSession

__all__ = ["Credential", "Domain", "LogInAttempt", "PortalSession", "User"]
