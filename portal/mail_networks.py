"""Which addresses mail servers may have. Whoever publishes a domain's MX, or sets an organisation's relay, chooses
where the portal's workers connect to, from inside: that must not be this machine, one beside it, or a cloud's metadata
service (SSRF). An address counts when it is one of the Internet, or in a network that the operator has named
(`settings.MAIL_PRIVATE_NETWORKS`). Addresses are judged, and then dialled themselves: the DNS is not asked again.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from django.conf import settings

_UNICAST = IPv6Network("2000::/3")  # all that IANA gives out of IPv6; the rest is special
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052


class PrivateNetwork(Exception):
    """None of a host's addresses may be connected to, in words."""


def allowed(addresses: Iterable[str]) -> list[str]:
    """Those that may be connected to."""
    return [address for address in addresses if _is_allowed(address)]


def _is_allowed(text: str) -> bool:
    address = _behind(ip_address(text))
    if any(address in network for network in settings.MAIL_PRIVATE_NETWORKS):
        return True
    is_unicast = not address.is_multicast if isinstance(address, IPv4Address) else address in _UNICAST
    return address.is_global and is_unicast


def _behind(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
