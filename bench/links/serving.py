"""The web in a process of its own, so that it shares no interpreter with whoever asks it."""

import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import trustme

from bench.links.web import BACKLOG, Seen, Web

NAMES_ADDRESS = "127.9.9.9"


@dataclass(frozen=True)
class Serving:
    """The running web: its ports, and the file of the authority that signed for its hosts."""

    port: int
    secure_port: int
    refused_port: int
    """Nobody listens there."""
    stalled_port: int
    """Nobody accepts there, and its queue is full."""
    names_port: int
    ca_file: Path
    _control: Connection

    def seen(self) -> Seen:
        """What came in since the last call."""
        self._control.send("seen")
        seen = self._control.recv()
        assert isinstance(seen, Seen)
        return seen


@contextmanager
def serving(scratch: Path, secure_hosts: int = 0) -> Iterator[Serving]:
    """Serve until the block ends. The hosts that `host(0)` to `host(secure_hosts - 1)` name have certificates."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(there, str(scratch), secure_hosts), daemon=True)
    process.start()
    there.close()
    try:
        port, secure, refused, stalled, names = here.recv()
        yield Serving(port, secure, refused, stalled, names, scratch / "authority.pem", here)
    finally:
        here.close()
        process.join(10)
        process.kill()


def host(number: int) -> str:
    """The address of a host: 250 in each network of the last number, so that one certificate serves many."""
    return str(ip_address("127.1.0.0") + (number // 250) * 256 + number % 250 + 1)


def _serve(control: Connection, scratch: str, secure_hosts: int) -> None:
    raise_open_files()
    plain, secure = _listener(BACKLOG), _listener(BACKLOG)
    refused, stalled = socket.socket(), _listener(0)
    refused.bind(("0.0.0.0", 0))  # held, so that nobody else listens
    greeting = socket.create_connection(("127.0.0.1", stalled.getsockname()[1]))
    names = _names()
    web = Web(plain, secure, names, _contexts(Path(scratch), secure_hosts))
    control.send(tuple(opened.getsockname()[1] for opened in (plain, secure, refused, stalled, names)))
    while True:
        web.run(control.fileno())
        try:
            control.recv()
        except EOFError:
            greeting.close()
            return
        control.send(web.take_seen())


def raise_open_files() -> None:
    """Ten thousand connections need as many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _names() -> socket.socket:
    """At the port of name servers where this process may, since lychee can be told of no other."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.bind((NAMES_ADDRESS, 53))
    except OSError:
        opened.bind((NAMES_ADDRESS, 0))
    opened.setblocking(False)
    return opened


def _listener(backlog: int) -> socket.socket:
    opened = socket.socket()
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("0.0.0.0", 0))  # the whole of 127.0.0.0/8
    opened.listen(backlog)
    opened.setblocking(False)
    return opened


def _contexts(scratch: Path, hosts: int) -> dict[str, ssl.SSLContext]:
    authority = trustme.CA(organization_name="Newsledger benchmarks")
    authority.cert_pem.write_to_path(scratch / "authority.pem")
    contexts = {}
    for first in range(0, hosts, 250):
        names = [host(number) for number in range(first, min(first + 250, hosts))]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["http/1.1"])
        authority.issue_cert(*names).configure_cert(context)
        contexts[names[0].rpartition(".")[0]] = context
    return contexts
