"""Names to addresses, through c-ares, with the three ways of failing told apart.

libcurl must never resolve: ten stalled names made four hundred good hosts time out (probes.md). One answer a host and
a night serves all its URLs, until it is ten minutes old.
"""

import asyncio
import socket
import time
from dataclasses import dataclass

import aiodns
import pycares
from aiodns.error import ARES_EBADNAME, ARES_ENODATA, ARES_ENOTFOUND, ARES_ETIMEOUT, DNSError

from pipeline.links.vocabulary import ErrorClass

FRESH_SECONDS = 600.0
_NO_SUCH_NAME = {ARES_ENOTFOUND, ARES_ENODATA, ARES_EBADNAME}


@dataclass(frozen=True, slots=True)
class Resolution:
    """What the name servers said of a host: addresses, or why there are none."""

    addresses: tuple[str, ...]
    error: ErrorClass | None
    detail: str | None
    milliseconds: float
    at: float


class Resolver:
    """Asks each host once. Make it and use it inside a running event loop."""

    def __init__(self, nameservers: tuple[str, ...], seconds: float) -> None:
        # No `lookups`: pycares 5.2 frees that text before c-ares reads it, and many a channel then asks no server.
        self._dns = aiodns.DNSResolver(
            nameservers=nameservers or None, timeout=seconds / 2, tries=2, flags=pycares.ARES_FLAG_NOSEARCH
        )
        self._seconds = seconds * 1.5
        self._known: dict[str, Resolution] = {}
        self._asking: dict[str, asyncio.Task[Resolution]] = {}

    def known(self, host: str) -> Resolution | None:
        """The answer already in hand, if it is fresh. A failure stays for the night."""
        answer = self._known.get(host)
        if answer and answer.error is None and time.monotonic() - answer.at > FRESH_SECONDS:
            return None
        return answer

    def ask(self, host: str) -> asyncio.Task[Resolution]:
        """Ask for `host`; a question already under way is joined."""
        task = self._asking.get(host)
        if task is None:
            task = self._asking[host] = asyncio.create_task(self._ask(host))
        return task

    async def close(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)
        await self._dns.close()

    async def _ask(self, host: str) -> Resolution:
        began = time.monotonic()
        addresses: tuple[str, ...] = ()
        error: ErrorClass | None = None
        detail: str | None = None
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._dns.getaddrinfo(host, family=socket.AF_UNSPEC, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(_text(node.addr[0]) for node in found.nodes))
            if not addresses:
                error, detail = ErrorClass.DNS_NXDOMAIN, "the name has no address"
        except TimeoutError:
            error, detail = ErrorClass.DNS_TIMEOUT, "no name server answered in time"
        except DNSError as failure:
            code = failure.args[0] if failure.args else None
            detail = str(failure.args[1]) if len(failure.args) > 1 else str(failure)
            if code in _NO_SUCH_NAME:
                error = ErrorClass.DNS_NXDOMAIN
            else:
                error = ErrorClass.DNS_TIMEOUT if code == ARES_ETIMEOUT else ErrorClass.DNS_SERVFAIL
        ended = time.monotonic()
        answer = Resolution(addresses, error, detail, (ended - began) * 1000, ended)
        self._known[host] = answer
        self._asking.pop(host, None)
        return answer


def _text(address: str | bytes) -> str:
    return address.decode() if isinstance(address, bytes) else address
