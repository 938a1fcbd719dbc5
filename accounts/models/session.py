from datetime import datetime, timedelta

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from .directory import User

ABSOLUTE_LIFETIME = timedelta(hours=12)
CONSOLE_IDLE = timedelta(minutes=15)
CONSOLE_LIFETIME = timedelta(hours=8)


class PortalSession(AbstractBaseSession):
    """The session table itself, with what its owner may want to know before ending one.

    session_key holds a hash of the cookie's value: nobody steps into a session with a copy of the table, and a page
    may name a row without giving the cookie away. The user is the one logged in, or the one who gave a temporary
    password and has yet to set a new one.
    """

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")
    browser = models.CharField(_("browser"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("logged in"))
    last_seen_at = models.DateTimeField(_("last active"))
    # The first activity after a pause too long for the administration console: it needs a new log-in from then on.
    paused_at = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractBaseSession.Meta):
        abstract = False
        verbose_name = _("session")  # type: ignore[assignment]
        verbose_name_plural = _("sessions")  # type: ignore[assignment]

    @classmethod
    def get_session_store_class(cls):
        from accounts.session_store import SessionStore

        return SessionStore

    def is_alive(self, now: datetime, idle: timedelta) -> bool:
        """Neither idle for too long nor past its absolute lifetime."""
        return now < self.expire_date and now - self.last_seen_at < idle

    def is_alive_in_console(self, now: datetime) -> bool:
        return (
            self.paused_at is None
            and now - self.last_seen_at < CONSOLE_IDLE
            and now - self.created_at < CONSOLE_LIFETIME
        )
