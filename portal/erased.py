"""Addresses of people who are erased: what stands in their place, and what the console calls them."""

from uuid import UUID

from django.utils.translation import gettext as _

# Of a top-level domain that will never be (RFC 2606, section 2).
DOMAIN = "erased.invalid"


def address_of(user_id: UUID) -> str:
    return f"{user_id.hex}@{DOMAIN}"


def is_erased(address: str) -> bool:
    return address.endswith(f"@{DOMAIN}")


def in_words(address: str) -> str:
    """The address as the console shows it: one that is nobody's any more tells nobody anything."""
    return _("erased person") if is_erased(address) else address
