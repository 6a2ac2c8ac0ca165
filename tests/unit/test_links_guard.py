"""Nothing is sent to an address that is not public, however it is written."""

from ipaddress import ip_network

import pytest

from pipeline.links.guard import refusal
from pipeline.links.route import (
    NameWanted,
    Place,
    Refused,
    Route,
    mapped_target,
    place_of,
    route_by_name,
    route_without_dns,
)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.5.5", "192.168.0.1", "169.254.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255", "192.0.0.8",
        "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
        "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::",
        "2002:c0a8:1::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "3fff::1", "5f00::1",
        "::ffff:0:10.0.0.1", "2001:470::5efe:10.0.0.1", "2001:470::200:5efe:127.0.0.1", "2001:0:7f00:1::f5ff:fffe",
        "fe80::1%eth0", "not an address", "", "127.1", "0x7f000001",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert refusal(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "151.101.1.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "2001:470::5efe:808:808",
        "::ffff:0:808:808",
    ],
)
def test_a_public_address_passes(address: str) -> None:
    assert refusal(address) is None


def test_the_settings_may_name_exceptions() -> None:
    allowed = [ip_network("127.0.0.1/32")]
    assert refusal("127.0.0.1", allowed) is None
    assert refusal("::ffff:127.0.0.1", allowed) is None
    assert refusal("127.0.0.2", allowed)


CONNECT_TO = {
    "a.example:80": "127.0.0.1:1",
    "a.example": "127.0.0.1:2",
    "*:80": "127.0.0.1:3",
    "six.example": "[::1]:4",
}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example/", ("127.0.0.1", 1)),
        ("https://a.example/", ("127.0.0.1", 2)),
        ("http://b.example/", ("127.0.0.1", 3)),
        ("http://b.example:8080/", None),
        ("https://six.example/", ("::1", 4)),
        ("http://192.0.2.1/", None),
        ("http://[2001:db8::1]/", None),
    ],
)
def test_connect_to_goes_from_the_exact_to_the_general(url: str, target: tuple[str, int] | None) -> None:
    assert mapped_target(place_of(url), CONNECT_TO) == target


def test_the_guard_judges_the_literal_first_and_the_mapped_address_too() -> None:
    allowed = [ip_network("127.0.0.1/32")]
    assert isinstance(route_without_dns(place_of("http://a.example/"), CONNECT_TO, allowed), Route)
    assert isinstance(route_without_dns(place_of("http://a.example/"), CONNECT_TO, []), Refused)
    assert isinstance(route_without_dns(place_of("http://10.0.0.1/"), CONNECT_TO, allowed), Refused)
    assert route_without_dns(place_of("http://c.example:81/"), CONNECT_TO, allowed) == NameWanted("c.example")


def test_private_addresses_of_a_name_are_left_out() -> None:
    place = Place("http", "c.example", 80)
    route = route_by_name(place, ("10.0.0.1", "8.8.8.8"), [], None)
    assert isinstance(route, Route)
    assert route.addresses == ("8.8.8.8",)
    assert isinstance(route_by_name(place, ("10.0.0.1", "::1"), [], None), Refused)
