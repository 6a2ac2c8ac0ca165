"""What is asked: the loads of the table, at any size, the same URLs for each contender.

A load says which URLs, under which pace; what it is held to is in `targets`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random

from bench.links.serving import Serving, host

_ZIPF_URLS, _ZIPF_HOSTS, _ZIPF_MOST = 100_000, 17_120, 3_150
"""The archive that the paced load is shaped after: so many URLs, hosts, and URLs of the largest host."""
GAP_SECONDS = 0.02
_HOST_URLS = 10


@dataclass(frozen=True, slots=True)
class Load:
    """URLs and how they are asked. `required` is how many requests a host needs at least, the most of all."""

    name: str
    what: str
    urls: tuple[str, ...]
    required: int
    gap: float = 0.0
    connections: int = 10
    concurrency: int = 256
    timeout: float = 5.0
    names: bool = False
    """Some URLs have names, which only the web's own name server knows how to fail."""

    @property
    def lower_bound(self) -> float:
        """Seconds that the host with the most requests takes, were they sent to the microsecond."""
        return (self.required - 1) * self.gap


@dataclass(frozen=True, slots=True)
class Shape:
    """A load before there is a web to ask: `make` is given the web and the number of URLs."""

    urls: int
    secure_hosts: int
    make: Callable[[Serving, int], Load]


def shapes() -> dict[str, Shape]:
    """Every load by name, at full size."""
    return {
        "plain": Shape(20_000, 0, _plain),
        "tls": Shape(10_000, 2_000, _tls),
        "faults": Shape(5_000, 0, _faults),
        "paced-shuffled": Shape(_ZIPF_URLS, 0, partial(_paced, grouped=False)),
        "paced-grouped": Shape(_ZIPF_URLS, 0, partial(_paced, grouped=True)),
        "open": Shape(10_000, 0, _open),
    }


def _plain(web: Serving, count: int) -> Load:
    hosts = max(1, count // 20)
    urls = [f"http://{host(number % hosts)}:{web.port}/page/{number}" for number in range(count)]
    return _load("plain", f"plain HTTP, {count:,} URLs of {hosts:,} hosts, no pacing", urls)


def _tls(web: Serving, count: int) -> Load:
    hosts = max(1, count // 5)
    urls = [f"https://{host(number % hosts)}:{web.secure_port}/page/{number}" for number in range(count)]
    return _load("tls", f"TLS, {hosts:,} hosts × 5, verified", urls)


def _faults(web: Serving, count: int) -> Load:
    """Ten URLs a host, each host with one way to behave; the shares are those of a bad night, and sum to 100."""
    kinds = {
        "page": 60, "moved": 6, "gone": 8, "busy": 4, "recovers": 4, "empty": 2, "reset": 2, "stalled": 3,
        "refused port": 3, "stalled port": 3, "no such name": 3, "broken name": 1, "silent name": 1,
    }  # fmt: skip
    urls = []
    for place, (kind, share) in enumerate(kinds.items()):
        for number in range(max(1, count * share // 100)):
            group = number // _HOST_URLS
            address = host(place * 250 + group % 250)
            match kind.split():
                case [_, "port"]:
                    port = web.refused_port if kind.startswith("refused") else web.stalled_port
                    urls.append(f"http://{address}:{port}/page/{number}")
                case [*_, "name"]:
                    urls.append(f"http://{kind.split()[0]}-{group}.test:{web.port}/page/{number}")
                case _:
                    urls.append(f"http://{address}:{web.port}/{kind}/{number}")
    Random(5).shuffle(urls)
    return _load("faults", f"fault mix, {len(urls):,} URLs, time-outs of 5 s", urls, names=True)


def _paced(web: Serving, count: int, *, grouped: bool) -> Load:
    hosts = max(1, _ZIPF_HOSTS * count // _ZIPF_URLS)
    urls = [
        f"http://{host(number)}:{web.port}/page/{place}"
        for number, share in enumerate(zipf(count, hosts, max(1, _ZIPF_MOST * count // _ZIPF_URLS)))
        for place in range(share)
    ]
    if not grouped:
        Random(7).shuffle(urls)
    order = "grouped" if grouped else "shuffled"
    what = f"paced, {len(urls):,} URLs of {hosts:,} hosts, gap {GAP_SECONDS * 1000:.0f} ms, {order}"
    return _load(f"paced-{order}", what, urls, gap=GAP_SECONDS, connections=1, concurrency=64)


def _open(web: Serving, count: int) -> Load:
    urls = [f"http://{host(number)}:{web.port}/hold/{count}/{number}" for number in range(count)]
    return _load("open", f"{count:,} connections in flight", urls, concurrency=count, timeout=120.0)


def _load(
    name: str,
    what: str,
    urls: list[str],
    *,
    gap: float = 0.0,
    connections: int = 10,
    concurrency: int = 256,
    timeout: float = 5.0,
    names: bool = False,
) -> Load:
    most = max(Counter(url.split("/")[2] for url in urls).values())
    return Load(name, what, tuple(urls), most, gap, connections, concurrency, timeout, names)


def zipf(urls: int, hosts: int, most: int) -> Iterator[int]:
    """How many URLs each host has, the largest first: `most`, then falling by the power that makes them `urls` in
    all."""
    low, high = 0.0, 4.0
    for _ in range(60):
        power = (low + high) / 2
        total = sum(max(1.0, most * rank**-power) for rank in range(1, hosts + 1))
        low, high = (power, high) if total > urls else (low, power)
    for rank in range(1, hosts + 1):
        yield max(1, round(most * rank**-low))
