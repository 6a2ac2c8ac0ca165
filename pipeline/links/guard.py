"""Which addresses nothing is ever sent to (link-rules section 6).

A link in an archive is a stranger's text: it must not make this machine ask its own network. Judged are the addresses
themselves, also those hidden in IPv6 forms; the names that led to them do not matter.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_NAMED = {
    ip_network("169.254.169.254/32"): "a cloud's metadata service",
    ip_network("fd00:ec2::254/128"): "a cloud's metadata service",
    ip_network("100.100.100.200/32"): "a cloud's metadata service",
    ip_network("0.0.0.0/8"): "this host",
    ip_network("100.64.0.0/10"): "carrier-grade NAT",
    ip_network("192.0.0.0/24"): "protocol assignments",
    ip_network("192.88.99.0/24"): "6to4 relays",
    ip_network("fec0::/10"): "site-local",
    ip_network("3fff::/20"): "documentation",
    ip_network("5f00::/16"): "segment routing",
    ip_network("64:ff9b:1::/48"): "a translation prefix of somebody's own network",
}
_CARRIERS = (ip_network("64:ff9b::/96"), ip_network("::ffff:0:0:0/96"), ip_network("::/96"))
"""Prefixes whose last 32 bits are an IPv4 address: NAT64, translated (SIIT), compatible."""
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}
"""The third quarter of an IPv6 address whose last is an IPv4 address, in any network (RFC 5214)."""


def refusal(address: str, allowed: Iterable[IPv4Network | IPv6Network] = ()) -> str | None:
    """Why nothing is sent to `address`, or None. `allowed` (settings: allow_addresses) exempts."""
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return f"{address} is no IP address"
    if any(ip in network for network in allowed):
        return None
    reason = _reason(ip)
    if reason:
        return f"{ip} is {reason}"
    inner = _embedded(ip)
    if inner is not None:
        inside = refusal(str(inner), allowed)
        return inside and f"{ip} carries {inside}"
    return None


def _reason(ip: IPv4Address | IPv6Address) -> str | None:
    for network, name in _NAMED.items():
        if ip in network:
            return name
    if isinstance(ip, IPv6Address) and _embedded(ip) is not None:
        return None  # judged by the address it carries
    words = {
        "unspecified": ip.is_unspecified,
        "loopback": ip.is_loopback,
        "link-local": ip.is_link_local,
        "multicast": ip.is_multicast,
        "private": ip.is_private,
        "reserved": ip.is_reserved,
        "not a public address": not ip.is_global,
    }
    return next((word for word, is_so in words.items() if is_so), None)


def _embedded(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address an IPv6 one stands for: mapped, compatible, translated, 6to4, Teredo, NAT64 or ISATAP."""
    if isinstance(ip, IPv4Address):
        return None
    if ip.ipv4_mapped or ip.sixtofour:
        return ip.ipv4_mapped or ip.sixtofour
    if ip.teredo:
        return ip.teredo[1]
    bits = int(ip)
    if bits > 1 and (any(ip in network for network in _CARRIERS) or (bits >> 32) & 0xFFFF_FFFF in _ISATAP):
        return IPv4Address(bits & 0xFFFF_FFFF)
    return None
