"""What an organisation may word itself in the mails that show the way in."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from portal import moments
from portal.models import Organization
from portal.wordings import Placeholder, Wording, register

_READER = {
    "address": Placeholder(_("the reader's email address"), lambda mail: mail["user"].address),
    "organization": Placeholder(_("your organisation's name"), lambda mail: mail["organization"].name),
}


def _sample(organization: Organization) -> dict[str, Any]:
    """With a password and a link that open nothing."""
    return {
        # At a domain that is nobody's (RFC 2606).
        "user": SimpleNamespace(address="reader@example.org"),
        "moment": moments.now() + timedelta(hours=organization.first_visit_hours),
        "password": "bdfgh-jkmnp-qrstv-wxyz2",
        "link": f"{settings.BASE_URL}{reverse('reset_link', args=[organization.slug, 'sample'])}",
    }


def _sample_of_first_visit(organization: Organization) -> dict[str, Any]:
    """As the organisation has it: a password, or a link."""
    by_link = organization.first_visit_mode == Organization.FirstVisit.LINK
    return _sample(organization) | ({"password": ""} if by_link else {"link": ""})


register(
    Wording(
        kind="password_notification",
        label=_("Secure Messaging Password Notification"),
        template="accounts/mail/password_notification",
        subject=_("Secure Messaging Password Notification"),
        text=_(
            "This mail is for {address}.\n\n"
            "{organization} has sent you a confidential message through its secure messaging portal."
        ),
        placeholders=_READER,
        required=("organization",),
        sample=_sample_of_first_visit,
    )
)
register(
    Wording(
        kind="password_reset",
        label=_("Password reset"),
        template="accounts/mail/password_reset",
        subject=_("Set a new password"),
        text=_(
            "Somebody, we hope you, asked for a new password for the secure messages of {address} at {organization}."
        ),
        placeholders=_READER,
        required=("organization",),
        sample=_sample,
    )
)
register(
    Wording(
        kind="portal_link",
        label=_("Send me my link"),
        template="accounts/mail/portal_link",
        subject=_("Your secure messages"),
        text=_(
            "Somebody, we hope you, asked where the secure messages of {address} are. "
            "Those from {organization} are here:"
        ),
        placeholders=_READER,
        required=("organization",),
        sample=_sample,
    )
)
