from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal import colours
from portal.ids import uuid7

from .organization import Organization

_is_colour = RegexValidator(
    r"^#[0-9a-fA-F]{6}$", _("Write a colour as # and six digits from 0 to 9 and a to f: #0b5567.")
)


class Branding(models.Model):
    """How an organisation's pages look and call themselves. Whatever is empty, and an organisation without such a row,
    is as the portal has it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.OneToOneField(
        Organization, on_delete=models.PROTECT, related_name="branding", verbose_name=_("organisation")
    )
    page_title = models.CharField(
        _("page title"),
        max_length=60,
        blank=True,
        help_text=_("Stands in the browser's tab after each page's own title. Empty: the organisation's name."),
    )
    disclaimer = models.TextField(
        _("disclaimer"),
        max_length=500,
        blank=True,
        help_text=_(
            "Stands on the log-in page, below every page of the portal and below every mail. Empty: access is for the "
            "message's recipient alone, and log-in details are not to be shared."
        ),
    )
    accent = models.CharField(
        _("accent"),
        max_length=7,
        blank=True,
        validators=[_is_colour],
        help_text=_("Of links, buttons and marks by day, such as #0b5567. Empty: the portal's own colours."),
    )
    accent_text = models.CharField(
        _("text on the accent"),
        max_length=7,
        blank=True,
        validators=[_is_colour],
        help_text=_("Empty: black or white, whichever is easier to read."),
    )
    dark_accent = models.CharField(
        _("accent, dark"),
        max_length=7,
        blank=True,
        validators=[_is_colour],
        help_text=_("For those whose device is set to dark. Empty: the accent, as much lighter as is needed."),
    )
    dark_accent_text = models.CharField(
        _("text on the accent, dark"),
        max_length=7,
        blank=True,
        validators=[_is_colour],
        help_text=_("Empty: black or white, whichever is easier to read."),
    )
    # Names of BrandImages, made of what is in them: "3c…9f.png".
    logo = models.CharField(max_length=80, blank=True)
    favicon = models.CharField(max_length=80, blank=True)

    class Meta:
        verbose_name = _("branding")
        verbose_name_plural = _("Branding")

    def __str__(self) -> str:
        return str(_("Branding"))

    @property
    def palette(self) -> colours.Palette | None:
        """None: the portal's own colours."""
        if not self.accent:
            return None
        return colours.Palette.of(self.accent, self.accent_text, self.dark_accent, self.dark_accent_text)

    @property
    def colours_url(self) -> str:
        return reverse("colours", args=[self.palette.name]) if self.palette else ""

    @property
    def logo_url(self) -> str:
        return self._url_of(self.logo)

    @property
    def favicon_url(self) -> str:
        return self._url_of(self.favicon)

    def _url_of(self, name: str) -> str:
        return reverse("brand_image", args=[self.organization_id, name]) if name else ""


class BrandImage(models.Model):
    """A logo or favicon: small, public, and never changed, for its name is the hash of its bytes."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="brand_image_once", fields=["organization", "name"])]

    def __str__(self) -> str:
        return self.name
