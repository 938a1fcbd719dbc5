"""Branding: what an organisation's logo and favicon may be, and how they are kept.

Mails carry no logo: a remote picture tells its server who reads when and where, and looks like a promotion; and one
that is enclosed counts as an attachment to many a mail program.
"""

import hashlib
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from . import pictures
from .models import BrandImage, Branding
from .pictures import NotAPicture, Picture


@dataclass(frozen=True)
class Use:
    """What is taken for one place: kinds, bytes, pixels."""

    kinds: tuple[str, ...]
    kilobytes: int
    width: int
    height: int


USES = {
    "logo": Use(("png", "jpeg", "webp"), kilobytes=256, width=1200, height=600),
    "favicon": Use(("png", "jpeg", "webp", "ico"), kilobytes=64, width=512, height=512),
}
MOST_BYTES = 1024 * max(use.kilobytes for use in USES.values())


def checked(content: bytes, size: int, use: Use) -> Picture:
    """The picture, for that use. NotAPicture says what is wrong with it; `size`: its bytes, if not all were kept."""
    if size > use.kilobytes * 1024:
        raise NotAPicture(_("The file may have %d KB at most.") % use.kilobytes)
    picture = pictures.read(content)
    if picture.kind not in use.kinds:
        raise NotAPicture(
            _("This is %(kind)s. Taken are %(kinds)s.")
            % {"kind": picture.kind.upper(), "kinds": ", ".join(kind.upper() for kind in use.kinds)}
        )
    if not (0 < picture.width <= use.width and 0 < picture.height <= use.height):
        raise NotAPicture(
            _("It is %(width)d × %(height)d pixels; %(most_wide)d × %(most_high)d are the most.")
            % {"width": picture.width, "height": picture.height, "most_wide": use.width, "most_high": use.height}
        )
    return picture


@transaction.atomic
def set_picture(branding: Branding, use: str, picture: Picture | None) -> None:
    """Put the (checked) picture in the place of "logo" or "favicon", or none; what no place uses any more is gone."""
    setattr(branding, use, _stored(branding, picture) if picture else "")
    branding.save(update_fields=[use])
    unused = BrandImage.objects.filter(organization=branding.organization_id)
    unused.exclude(name__in=[branding.logo, branding.favicon]).delete()


def _stored(branding: Branding, picture: Picture) -> str:
    name = f"{hashlib.sha256(picture.content).hexdigest()}.{picture.kind}"
    image = BrandImage(organization_id=branding.organization_id, name=name, content=picture.content)
    BrandImage.objects.bulk_create([image], ignore_conflicts=True)
    return name


@transaction.atomic
def remove(branding: Branding) -> None:
    """Back to the portal's own look."""
    BrandImage.objects.filter(organization=branding.organization_id).delete()
    branding.delete()
