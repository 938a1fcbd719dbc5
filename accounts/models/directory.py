from datetime import datetime
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal import erased
from portal.ids import uuid7
from portal.models import Organization


class Domain(models.Model):
    """A domain of addresses: part of an organisation's internal or external directory."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="domains", verbose_name=_("organisation")
    )
    # Lower case, in the ASCII form of IDNA (RFC 5891).
    name = models.CharField(
        _("domain"), max_length=253, help_text=_("What stands behind the @, such as clinic.example.")
    )
    is_internal = models.BooleanField(_("internal"), default=False)

    class Meta:
        verbose_name = _("domain")
        verbose_name_plural = _("domains")
        constraints = [models.UniqueConstraint(name="domain_one_per_organization", fields=["organization", "name"])]

    def __str__(self) -> str:
        return self.name


class InternalDomain(Domain):
    """The console's entry for the organisation's own domains (accounts/admin/directories.py)."""

    class Meta:
        proxy = True
        verbose_name = _("internal directory")
        verbose_name_plural = _("Internal Directories")


class ExternalDomain(Domain):
    """The console's entry for everybody else's domains."""

    class Meta:
        proxy = True
        verbose_name = _("external directory")
        verbose_name_plural = _("External Directories")


class User(AbstractBaseUser, PermissionsMixin):
    """A person with an address in one organisation's directories.

    The same address in two organisations is two people. Nobody's user name is unique by itself, so the id is
    what Django calls the user name; logging in takes an organisation and an address.
    """

    class DateFormat(models.TextChoices):
        DAY_FIRST = "day_first", _("31 January 2030")
        MONTH_FIRST = "month_first", _("January 31, 2030")
        ISO = "iso", _("2030-01-31")

    class TimeFormat(models.TextChoices):
        HOURS_24 = "24", _("17:30")
        HOURS_12 = "12", _("5:30 p.m.")

    class WeekStart(models.TextChoices):
        MONDAY = "monday", _("Monday")
        SATURDAY = "saturday", _("Saturday")
        SUNDAY = "sunday", _("Sunday")

    class Notify(models.TextChoices):
        AT_ONCE = "at_once", _("at once, a mail for each message")
        HOURLY = "hourly", _("once an hour, one mail for all")
        DAILY = "daily", _("once a day, one mail for all")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="users", verbose_name=_("organisation")
    )
    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="users")
    address = models.EmailField(_("email address"), max_length=320)
    name = models.CharField(_("name"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    allow_logon = models.BooleanField(_("Allow Secure Messaging Logon"), default=True)
    disabled_at = models.DateTimeField(_("disabled"), null=True, blank=True)
    is_licensed = models.BooleanField(
        _("licensed sender"),
        default=False,
        help_text=_("May write new messages to anyone. Internal users only."),
    )
    is_staff = models.BooleanField(
        _("administrator"), default=False, help_text=_("May enter the administration console.")
    )
    # Null: never set. A password an administrator set lasts until temporary_until and opens only the page to change it.
    password_set_at = models.DateTimeField(_("password set"), null=True, blank=True)
    temporary_until = models.DateTimeField(null=True, blank=True)
    first_logged_in_at = models.DateTimeField(_("first logged in"), null=True, blank=True)
    # An administrator wants a new password: the current one counts as expired (accounts/expired_passwords.py).
    change_ordered_at = models.DateTimeField(_("change of password ordered"), null=True, blank=True)
    # Guesses by strangers since the last success, and when the next one may be compared (accounts/throttling.py).
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lock_told_at = models.DateTimeField(null=True, blank=True)

    # A mail to the address came back for good (accounts/bouncing.py).
    bounced_at = models.DateTimeField(_("mail came back"), null=True, blank=True)
    bounce_words = models.TextField(blank=True, default="")

    # What the person chose on the page "Account"; empty is what the organisation has.
    language = models.CharField(_("language"), max_length=16, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    date_format = models.CharField(_("dates"), max_length=12, blank=True, choices=DateFormat)
    time_format = models.CharField(_("times"), max_length=12, blank=True, choices=TimeFormat)
    week_starts_on = models.CharField(_("the week starts on"), max_length=8, blank=True, choices=WeekStart)
    notify = models.CharField(_("notifications"), max_length=8, choices=Notify, default=Notify.AT_ONCE)
    wants_reminders = models.BooleanField(_("reminders of unread messages"), default=True)
    sealed_phrase = models.BinaryField(null=True, blank=True)

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "address"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = BaseUserManager["User"]()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(name="user_address_once_per_organization", fields=["organization", "address"]),
        ]

    def __str__(self) -> str:
        return erased.in_words(self.address)

    @property
    def is_erased(self) -> bool:
        return erased.is_erased(self.address)

    @property
    def is_active(self) -> bool:  # type: ignore[override]
        return self.disabled_at is None

    @property
    def is_internal(self) -> bool:
        return self.domain.is_internal

    @property
    def may_log_on(self) -> bool:
        return self.is_active and self.allow_logon and self.organization.closing_at is None

    @property
    def has_own_password(self) -> bool:
        """A password the person chose; one set by an administrator is temporary."""
        return self.password_set_at is not None and self.temporary_until is None

    @property
    def second_factor_is_demanded(self) -> bool:
        """By the organisation. Whoever holds no licence to send is a recipient."""
        organization = self.organization
        if self.is_staff and organization.second_factor_administrators:
            return True
        return organization.second_factor_senders if self.is_licensed else organization.second_factor_recipients

    def get_full_name(self) -> str:
        return self.name or self.address

    get_short_name = get_full_name

    def may_try_at(self, now: datetime) -> bool:
        return self.next_try_at is None or self.next_try_at <= now
