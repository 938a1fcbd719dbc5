from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal.ids import uuid7

DEFAULT_DISCLAIMER = _(
    "Access is for the recipient of the message alone. Do not share your log-in details with anybody."
)


class Organization(models.Model):
    """The customer that owns a portal: its address, its settings."""

    class FirstVisit(models.TextChoices):
        TEMPORARY_PASSWORD = "temporary_password", _("a temporary password is mailed")
        LINK = "link", _("a link to create a password is mailed")
        BY_TELEPHONE = "by_telephone", _("no mail: an administrator sets the password and tells it by telephone")

    class Reset(models.TextChoices):
        BY_MAIL = "by_mail", _("a temporary password and a link are mailed")
        BY_TELEPHONE = "by_telephone", _("no mail: an administrator sets the password and tells it by telephone")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(
        _("name"), max_length=120, help_text=_("As recipients know it; stands in every notification.")
    )
    slug = models.SlugField(
        _("portal URL prefix"),
        unique=True,
        help_text=_("The log-in page is /p/<prefix>/. Links already mailed carry it."),
    )
    retention_days = models.PositiveSmallIntegerField(
        _("retention (days)"),
        default=365,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Messages, copies and attachments are destroyed this long after sending."),
    )
    idle_minutes = models.PositiveSmallIntegerField(
        _("session time-out (minutes)"),
        default=60,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("A session ends after this long without activity. It may be shortened, not lengthened."),
    )
    first_visit_hours = models.PositiveSmallIntegerField(
        _("first temporary password lasts (hours)"),
        default=24,
        validators=[MinValueValidator(1), MaxValueValidator(72)],
    )
    first_visit_mode = models.CharField(
        _("first visit"),
        max_length=20,
        choices=FirstVisit,
        default=FirstVisit.TEMPORARY_PASSWORD,
        help_text=_("How somebody who has no password yet gets one."),
    )
    reset_mode = models.CharField(
        _("forgotten password"),
        max_length=20,
        choices=Reset,
        default=Reset.BY_MAIL,
        help_text=_("How somebody gets in again who has forgotten theirs."),
    )
    password_min_length = models.PositiveSmallIntegerField(
        _("shortest password"),
        default=15,
        validators=[MinValueValidator(8), MaxValueValidator(64)],
        help_text=_("Below 15 only for those of whom a second factor is demanded; for everybody else it stays 15."),
    )
    password_classes = models.BooleanField(
        _("passwords need capitals, digits and signs"),
        default=False,
        help_text=_("Only where a rule book demands it: length protects better."),
    )
    password_age_days = models.PositiveSmallIntegerField(
        _("passwords expire after (days)"),
        default=0,
        validators=[MaxValueValidator(1095)],
        help_text=_("0: never, which is what is recommended today."),
    )
    password_history = models.PositiveSmallIntegerField(
        _("old passwords not to be used again"),
        default=0,
        validators=[MaxValueValidator(10)],
        help_text=_("How many, the current one included. 0: no such rule."),
    )
    second_factor_senders = models.BooleanField(_("second factor for senders"), default=False)
    second_factor_recipients = models.BooleanField(_("second factor for recipients"), default=False)
    second_factor_administrators = models.BooleanField(_("second factor for administrators"), default=False)
    support_contact = models.CharField(
        _("contact for help"),
        max_length=200,
        blank=True,
        help_text=_("A telephone number or an email address; stands on the log-in and help pages."),
    )
    undo_seconds = models.PositiveSmallIntegerField(
        _("undo sending (seconds)"),
        default=10,
        validators=[MaxValueValidator(120)],
        help_text=_(
            "How long a sender can take a message back, before anybody sees it and mail leaves. 0: not at all."
        ),
    )
    recall_destroys_quotes = models.BooleanField(
        _("hide the quoted original too"),
        default=False,
        help_text=_("A recall also destroys what replies and forwards quote of the message. Off: they keep it."),
    )
    replies_may_change_recipients = models.BooleanField(_("replies may change the recipients"), default=False)
    reminder_days = models.CharField(
        _("reminders (days before expiry)"),
        max_length=40,
        default="3, 1",
        blank=True,
        validators=[RegexValidator(r"^\s*\d{1,3}(\s*,\s*\d{1,3})*\s*$", _("Write days with commas between: 3, 1."))],
        help_text=_("An unread message is announced again this many days before it expires. Empty: never."),
    )
    hourly_notifications = models.PositiveSmallIntegerField(
        _("notifications an hour to one person"),
        default=20,
        validators=[MaxValueValidator(1000)],
        help_text=_("What comes beyond that waits for the end of the hour, in one mail. 0: no limit."),
    )
    max_attachment_mb = models.PositiveIntegerField(
        _("largest attachment (MB)"), default=2048, validators=[MinValueValidator(1), MaxValueValidator(2048)]
    )
    max_message_mb = models.PositiveIntegerField(
        _("largest message with its attachments (MB)"), default=4096, validators=[MinValueValidator(1)]
    )
    storage_mb = models.PositiveIntegerField(
        _("storage per user (MB)"),
        default=20480,
        validators=[MinValueValidator(1)],
        help_text=_("What a person's own drafts and sent messages may take together."),
    )
    forbidden_types = models.CharField(
        _("attachment types not allowed"),
        max_length=500,
        blank=True,
        default="exe, com, bat, cmd, scr, js, vbs, ps1, msi, lnk, hta",
        help_text=_("File name endings with commas between."),
    )
    hold_unscanned = models.BooleanField(
        _("hold back attachments that could not be scanned"),
        default=True,
        help_text=_(
            "Where files are scanned for viruses and the scanner is down. Off: recipients get them, marked so."
        ),
    )
    bcc_to_mail_server = models.BooleanField(
        _("Send BCC to Mail Server"),
        default=False,
        help_text=_(
            "A copy of what its people send goes to their own mailbox on the organisation's mail server, in the clear, "
            "and stands in their Inbox besides Sent Items."
        ),
    )
    mail_from = models.EmailField(
        _("notifications' From"),
        blank=True,
        help_text=_("An address on a domain of the organisation's own. Empty: the installation's."),
    )
    reply_to = models.EmailField(
        _("notifications' Reply-To"),
        blank=True,
        help_text=_("Where answers to notifications go. Empty: no Reply-To."),
    )
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=16, default="en-gb")
    # When what it holds begins to be destroyed, and when that came to an end (portal/closing.py).
    closing_at = models.DateTimeField(_("closing"), null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        constraints = [
            models.CheckConstraint(
                name="organization_idle_at_most_60_minutes",
                condition=models.Q(idle_minutes__gte=1, idle_minutes__lte=60),
            ),
            models.CheckConstraint(
                name="organization_first_visit_at_most_72_hours",
                condition=models.Q(first_visit_hours__gte=1, first_visit_hours__lte=72),
            ),
            models.CheckConstraint(
                name="organization_passwords_of_8_at_least",
                condition=models.Q(password_min_length__gte=8, password_min_length__lte=64),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("log_in", args=[self.slug])

    @property
    def brand(self) -> Any:
        """Its Branding, or None."""
        return getattr(self, "branding", None)

    # Empty where the portal's own will do. Asked for here, for a template that looks further than there is anything
    # pays more for finding nothing than for the rest of its line.
    @property
    def logo_url(self) -> str:
        return self.brand.logo_url if self.brand else ""

    @property
    def favicon_url(self) -> str:
        return self.brand.favicon_url if self.brand else ""

    @property
    def colours_url(self) -> str:
        return self.brand.colours_url if self.brand else ""

    @property
    def page_title(self) -> str:
        return (self.brand and self.brand.page_title) or self.name

    @property
    def disclaimer(self) -> str:
        """What stands below pages and mails, in the organisation's own words or the portal's."""
        return (self.brand and self.brand.disclaimer) or str(DEFAULT_DISCLAIMER)

    @property
    def forbidden_endings(self) -> frozenset[str]:
        """Of the attachments it does not allow: lower case, without the dot."""
        return frozenset(ending.strip().lstrip(".").lower() for ending in self.forbidden_types.split(",")) - {""}
