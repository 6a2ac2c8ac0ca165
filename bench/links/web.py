"""The web that the contenders ask: fast enough to be no bottleneck, and the one who measures the gaps.

Every address of 127.0.0.0/8 is a host of its own, since Linux answers for all of them: 127.1.2.3 needs no name. The
first segment of a path says how its URL behaves; all else is a small page in text/html, a different one for each URL.
Names are answered too: those that do not exist, that cannot be answered, and that are never answered. Bytes on an epoll
loop, by hand: a request costs two system calls and a few microseconds, which makes 65,000 requests a second of a core.
"""

import select
import socket
import ssl
import time
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from struct import pack

BACKLOG = 16_384
_PAGE_WORDS = 24
_SYLLABLES = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve", "wi", "xo", "yu", "za")
_LINGER_NONE = pack("ii", 1, 0)
_NXDOMAIN, _SERVFAIL = 3, 2


@dataclass(slots=True)
class Connection:
    """One accepted connection, and the host that it was made to."""

    socket: socket.socket
    host: str
    seed: int
    buffer: bytes = b""
    shakes_hands: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What the web saw of one contender. `least_gap` are the seconds between two requests of one host, the least of
    all; `seconds` is from the first request to the last."""

    requests: int
    connections: int
    open_at_once: int
    hosts: int
    most_of_a_host: int
    least_gap: float | None
    seconds: float


@dataclass(slots=True)
class _Ledger:
    """The same while it grows, in nanoseconds."""

    requests: int = 0
    connections: int = 0
    open_at_once: int = 0
    last: dict[str, int] = field(default_factory=dict)
    count: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    least_gap: int | None = None
    first_at: int = 0
    last_at: int = 0

    def request(self, host: str, now: int) -> None:
        self.requests += 1
        self.count[host] += 1
        earlier = self.last.get(host)
        if earlier is not None and (self.least_gap is None or now - earlier < self.least_gap):
            self.least_gap = now - earlier
        self.last[host] = now
        self.first_at = self.first_at or now
        self.last_at = now

    def summed(self) -> "Seen":
        return Seen(
            self.requests,
            self.connections,
            self.open_at_once,
            len(self.count),
            max(self.count.values(), default=0),
            None if self.least_gap is None else self.least_gap / 1e9,
            (self.last_at - self.first_at) / 1e9,
        )


def _paragraphs() -> list[bytes]:
    """256 paragraphs, no two alike, of words that no path holds."""
    made = []
    for number in range(256):
        words = [
            _SYLLABLES[number >> 4] + _SYLLABLES[number & 15] + _SYLLABLES[(number * 7 + place) & 15] + "n"
            for place in range(_PAGE_WORDS)
        ]
        made.append(f"<p>{' '.join(words)}.</p>\n".encode())
    return made


class Web:
    """Answers on the listeners it is given until it is told to stop."""

    def __init__(
        self, plain: socket.socket, secure: socket.socket, names: socket.socket, contexts: Mapping[str, ssl.SSLContext]
    ) -> None:
        self.seen = _Ledger()
        self._plain, self._secure, self._names, self._contexts = plain, secure, names, contexts
        self._paragraphs = _paragraphs()
        self._asked: defaultdict[bytes, int] = defaultdict(int)
        self._connections: dict[int, Connection] = {}
        self._held: list[Connection] = []
        self._stop: int | None = None
        self._poll = select.epoll()
        for opened in (plain, secure, names):
            self._poll.register(opened.fileno(), select.EPOLLIN)

    def run(self, stop: int) -> None:
        """Serve until the file descriptor `stop` can be read; always the same one."""
        if self._stop is None:
            self._stop = stop
            self._poll.register(stop, select.EPOLLIN)
        listeners = {listener.fileno(): listener for listener in (self._plain, self._secure)}
        connections = self._connections
        while True:
            for fd, _ in self._poll.poll(-1, 512):
                connection = connections.get(fd)
                if connection is not None:
                    self._hear(fd, connection)
                elif fd in listeners:
                    self._accept(listeners[fd])
                elif fd == self._names.fileno():
                    self._answer_name()
                elif fd == stop:
                    return

    def _answer_name(self) -> None:
        """No name exists here; `broken` cannot be answered, `silent` is not (RFC 1035, 4.1.1)."""
        query, asker = self._names.recvfrom(4096)
        fate = next((label for label in (b"broken", b"silent") if label in query[12:].lower()), None)
        if fate != b"silent":
            code = _SERVFAIL if fate else _NXDOMAIN
            question_ends = query.index(b"\0", 12) + 5
            head = query[:2] + bytes((0x81, 0x80 | code)) + b"\0\1" + bytes(6)
            self._names.sendto(head + query[12:question_ends], asker)

    def take_seen(self) -> Seen:
        """What came in since the last call."""
        seen, self.seen = self.seen.summed(), _Ledger()
        self.seen.open_at_once = len(self._connections)
        return seen

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(256):
            try:
                accepted, _ = listener.accept()
            except BlockingIOError:
                return
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            host = accepted.getsockname()[0]
            connection = Connection(accepted, host, zlib.crc32(host.encode()))
            if listener is self._secure:
                context = self._contexts[host.rpartition(".")[0]]
                connection.socket = context.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
                connection.shakes_hands = True
            fd = connection.socket.fileno()
            self._connections[fd] = connection
            self.seen.connections += 1
            self.seen.open_at_once = max(self.seen.open_at_once, len(self._connections))
            self._poll.register(fd, select.EPOLLIN)

    def _hear(self, fd: int, connection: Connection) -> None:
        try:
            if connection.shakes_hands:
                connection.socket.do_handshake()  # type: ignore[attr-defined]
                connection.shakes_hands = False
            data = connection.socket.recv(65_536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(fd, connection)
            return
        if connection.buffer:
            data = connection.buffer + data
        if data.startswith(b"GET /page/") and data.find(b"\r\n\r\n") == len(data) - 4:  # what nearly every request is
            self.seen.request(connection.host, time.monotonic_ns())
            path = data[4 : data.index(b" ", 10)]
            try:
                connection.socket.send(self._page(b"200 OK", zlib.crc32(path, connection.seed), path))
            except OSError:
                self._drop(fd, connection)
            connection.buffer = b""
            return
        while (end := data.find(b"\r\n\r\n")) >= 0:
            self.seen.request(connection.host, time.monotonic_ns())
            answer = self._answer(connection, data[data.index(b" ") + 1 : data.index(b" ", data.index(b" ") + 1)])
            if data.startswith(b"HEAD") and answer:
                answer = answer[: answer.index(b"\r\n\r\n") + 4]
            data = data[end + 4 :]
            if answer is None:
                return
            try:
                connection.socket.sendall(answer) if answer else self._drop(fd, connection)
            except OSError:
                self._drop(fd, connection)
                return
        connection.buffer = data

    def _drop(self, fd: int, connection: Connection) -> None:
        self._connections.pop(fd, None)
        connection.socket.close()

    def _answer(self, connection: Connection, path: bytes) -> bytes | None:
        """The bytes of an answer; none at all to close the connection, None to leave it waiting."""
        behaviour = path[1 : path.find(b"/", 1)]
        number = zlib.crc32(path, connection.seed)
        match behaviour:
            case b"gone":
                return self._page(b"404 Not Found", number, path)
            case b"busy":
                return self._page(b"503 Service Unavailable", number, path)
            case b"recovers":
                key = connection.host.encode() + path
                self._asked[key] += 1
                return self._page(b"503 Service Unavailable" if self._asked[key] == 1 else b"200 OK", number, path)
            case b"moved":
                target = b"http://%s:%d/page%s" % (
                    connection.host.encode(), self._plain.getsockname()[1], path[path.find(b"/", 1) :],
                )  # fmt: skip
                return b"HTTP/1.1 301 Moved Permanently\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % target
            case b"empty":
                return b""
            case b"reset":
                connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
                return b""
            case b"stalled":
                return None
            case b"hold":
                self._hold(connection, path)
                return None
            case _:
                return self._page(b"200 OK", number, path)

    def _hold(self, connection: Connection, path: bytes) -> None:
        """Answered together once as many wait as the path says (`/hold/10000/…`)."""
        self._held.append(connection)
        if len(self._held) >= int(path.split(b"/")[2]):
            for held in self._held:
                number = zlib.crc32(path, held.seed)
                held.socket.setblocking(True)
                held.socket.sendall(self._page(b"200 OK", number, path))
                held.socket.setblocking(False)
            self._held.clear()

    def _page(self, status: bytes, number: int, path: bytes) -> bytes:
        paragraphs = self._paragraphs
        body = b"".join(
            (
                b'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>A page of ',
                path,
                b"</title>\n</head>\n<body>\n",
                paragraphs[number & 255],
                paragraphs[number >> 8 & 255],
                paragraphs[number >> 16 & 255],
                paragraphs[number >> 24],
                b"</body>\n</html>\n",
            )
        )
        return b"HTTP/1.1 %s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n%s" % (
            status,
            len(body),
            body,
        )
