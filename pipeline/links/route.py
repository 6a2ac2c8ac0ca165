"""From a URL to the one place it may be asked at: its own literal, a mapped address, or the name's addresses.

Belongs here: reading host and port, the precedence of `connect_to`, the guard's word on each address. Nothing here
waits: a name not yet resolved is answered with `NameWanted`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from urllib.parse import urlsplit

from pipeline.links.guard import refusal

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """What a URL names: scheme, host without brackets, port."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Route:
    """Where the bytes go. `mapped` tells that `connect_to` chose the address and the port."""

    place: Place
    addresses: tuple[str, ...]
    port: int
    mapped: bool = False
    dns_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The address guard said no."""

    reason: str


@dataclass(frozen=True, slots=True)
class NameWanted:
    """The host is a name that must be resolved first."""

    host: str


def place_of(url: str) -> Place:
    """Scheme, host and port of a fetch URL (already normalised by a WHATWG parser).

    Raises ValueError where there is no host, or no scheme we speak.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url} names no http(s) host")
    return Place(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme])


def is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def mapped_target(place: Place, connect_to: Mapping[str, str]) -> tuple[str, int] | None:
    """The address and port `connect_to` gives: exact `host:port`, then `host`, then `*:port`; never for a literal."""
    if is_literal(place.host):
        return None
    for key in (f"{place.host}:{place.port}", place.host, f"*:{place.port}"):
        if key in connect_to:
            address, _, port = connect_to[key].rpartition(":")
            return address.strip("[]"), int(port)
    return None


def route_without_dns(
    place: Place, connect_to: Mapping[str, str], allowed: Iterable[IPv4Network | IPv6Network]
) -> Route | Refused | NameWanted:
    """The route of a URL whose address needs no name server."""
    if is_literal(place.host):
        reason = refusal(place.host, allowed)
        return Refused(reason) if reason else Route(place, (place.host,), place.port)
    target = mapped_target(place, connect_to)
    if target is None:
        return NameWanted(place.host)
    reason = refusal(target[0], allowed)
    return Refused(reason) if reason else Route(place, (target[0],), target[1], mapped=True)


def route_by_name(
    place: Place, addresses: tuple[str, ...], allowed: Iterable[IPv4Network | IPv6Network], dns_ms: float | None
) -> Route | Refused:
    """The route to a resolved name: the addresses the guard lets pass, the private ones left out."""
    exempt = tuple(allowed)
    reasons = {address: refusal(address, exempt) for address in addresses}
    good = tuple(address for address, reason in reasons.items() if reason is None)
    if not good:
        return Refused(next(reason for reason in reasons.values() if reason))
    return Route(place, good[:4], place.port, dns_ms=dns_ms)
