"""Where the small web is served: free ports that a client has to be told of, or the ports that every client knows.

Belongs here: sockets as they are bound, and which host is reached at which of them. Does not belong here: what happens
on a connection (server).
"""

import contextlib
import socket
from types import TracebackType
from typing import Self

from pipeline.rehearsal.names import ADDRESS
from pipeline.rehearsal.table import Connect, Dns, Host, Tls, Web

UNREACHABLE = "127.255.255.255"
"""The broadcast address of the loopback: Linux has no route to it for TCP, and sends nothing."""
_BACKLOG = 1024
# Of well-known ports there is one each, so what befalls a connection is a matter of its address.
_BROKEN, _REFUSED, _STALLED, _PLAIN_ONLY = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


class Places:
    """Free ports of one address; names all lead there, so clients need `connect_to`."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self.http: list[socket.socket] = []
        self.https: list[socket.socket] = []
        self.broken: list[socket.socket] = []
        self.names: socket.socket
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._stack:  # closes what is open when a later step fails
            self._bind()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def nameserver(self) -> str:
        return _place(self.names)

    def addresses(self, host: Host) -> tuple[str, ...]:
        """What the name server says of a host."""
        return host.addresses or (ADDRESS,)

    def allow_addresses(self) -> tuple[str, ...]:
        """What a guard against private addresses has to let pass."""
        unreachable = any(host.connect is Connect.UNREACHABLE for host in self._web.hosts.values())
        return (f"{ADDRESS}/32", *([f"{UNREACHABLE}/32"] if unreachable else []))

    def connect_to(self) -> dict[str, str]:
        """Where each host's two ports are; a host whose name does not resolve, or resolves in turns, has none."""
        targets: dict[str, str] = {}
        for name, host in self._web.hosts.items():
            if host.dns is Dns.OK and not host.addresses:
                targets[f"{name}:80"] = self._target(host, "http")
                targets[f"{name}:443"] = self._target(host, "https")
        return targets

    def _target(self, host: Host, scheme: str) -> str:
        if host.connect is Connect.UNREACHABLE:
            return f"{UNREACHABLE}:{443 if scheme == 'https' else 80}"
        if host.connect is Connect.STALLED:
            return _place(self._stalled)
        if host.connect is Connect.REFUSED or (scheme == "https" and host.tls is Tls.NONE):
            return _place(self._refused)
        if scheme == "http":
            return _place(self.http[0])
        return _place(self.broken[0] if host.tls is Tls.BROKEN else self.https[0])

    def _bind(self) -> None:
        self.http, self.https, self.broken = ([self._listen(ADDRESS, 0)] for _ in range(3))
        # Nobody listens at the refused port; holding it keeps others from doing so.
        self._refused = self._open(socket.SOCK_STREAM, ADDRESS, 0)
        self._stalled = self._stall(ADDRESS, 0)
        self.names = self._open(socket.SOCK_DGRAM, ADDRESS, 0)

    def _listen(self, address: str, port: int) -> socket.socket:
        listener = self._open(socket.SOCK_STREAM, address, port)
        listener.listen(_BACKLOG)
        return listener

    def _stall(self, address: str, port: int) -> socket.socket:
        """Nobody accepts here, and the queue of one is full from the start: Linux drops further SYNs, so a connect
        hangs until it gives up."""
        stalled = self._open(socket.SOCK_STREAM, address, port)
        stalled.listen(0)
        self._stack.enter_context(socket.create_connection(stalled.getsockname()))
        return stalled

    def _open(self, kind: socket.SocketKind, address: str, port: int) -> socket.socket:
        opened = self._stack.enter_context(socket.socket(socket.AF_INET, kind))
        if port:  # soon after an earlier web, connections of which may linger
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((address, port))
        opened.setblocking(False)
        return opened


class WellKnownPlaces(Places):
    """Ports 80, 443 and 53 of a few loopback addresses, for clients that cannot be told of other ones. Linux only, and
    for who may bind them: root, or anybody in a network namespace of their own."""

    def addresses(self, host: Host) -> tuple[str, ...]:
        return host.addresses or (self._address(host),)

    def allow_addresses(self) -> tuple[str, ...]:
        return tuple(f"{address}/32" for address in (ADDRESS, _BROKEN, _REFUSED, _STALLED, _PLAIN_ONLY, UNREACHABLE))

    def connect_to(self) -> dict[str, str]:
        return {}

    def _address(self, host: Host) -> str:
        match host.connect, host.tls:
            case Connect.UNREACHABLE, _:
                return UNREACHABLE
            case Connect.STALLED, _:
                return _STALLED
            case Connect.REFUSED, _:
                return _REFUSED
            case _, Tls.NONE:
                return _PLAIN_ONLY
            case _, Tls.BROKEN:
                return _BROKEN
            case _:
                return ADDRESS

    def _bind(self) -> None:
        self.http = [self._listen(address, 80) for address in (ADDRESS, _BROKEN, _PLAIN_ONLY)]
        self.https = [self._listen(ADDRESS, 443)]
        self.broken = [self._listen(_BROKEN, 443)]
        for port in (80, 443):
            self._stall(_STALLED, port)
        self.names = self._open(socket.SOCK_DGRAM, ADDRESS, 53)


def _place(opened: socket.socket) -> str:
    address, port = opened.getsockname()
    return f"{address}:{port}"
