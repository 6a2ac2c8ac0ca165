"""The listeners of the small web, in one background thread with an event loop of its own.

Belongs here: sockets, the thread, and the life of a connection. Does not belong here: what is answered (table, pages)
and how it is put on the wire (wire).
"""

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Self

from pipeline.errors import RehearsalError
from pipeline.rehearsal.certificates import Certificates
from pipeline.rehearsal.names import NameServer
from pipeline.rehearsal.pages import Reply, notice, reply_to
from pipeline.rehearsal.places import Places
from pipeline.rehearsal.table import Answer, Host, Web
from pipeline.rehearsal.wire import MAX_REQUEST_HEAD, BadRequestError, Head, read_head, write, write_faulty

_OUT_OF_SOCKETS_PAUSE = 0.05
# asyncio drops the alert of a handshake that fails on its side, so a broken handshake is played with the bytes of one:
# a fatal handshake_failure (RFC 8446, 6).
_HANDSHAKE_FAILURE = b"\x15\x03\x01\x00\x02\x02\x28"
_Conversation = Callable[[socket.socket], Coroutine[Any, Any, None]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Request:
    """One request as it was received."""

    at: float
    """`time.monotonic()` when its head was complete."""
    scheme: str
    host: str
    method: str
    path: str
    """The request target, with its query."""
    headers: Mapping[str, str]
    """By lower-case name."""


class RehearsalServer:
    """Serves a table on `places` from `with` to its end."""

    def __init__(self, web: Web, places: Places) -> None:
        self.requests: list[Request] = []
        self._web = web
        self._places = places
        self._certificates = Certificates({name: host.tls for name, host in web.hosts.items()})
        self._answered: Counter[tuple[str, str]] = Counter()
        self._conversations: set[asyncio.Task[None]] = set()
        self._sockets = contextlib.ExitStack()

    @property
    def authority_pem(self) -> bytes:
        return self._certificates.authority_pem

    def __enter__(self) -> Self:
        with self._sockets:  # closes what is open when a later step fails
            try:
                self._sockets.enter_context(self._places)
            except OSError as error:
                raise RehearsalError(f"a loopback port cannot be had: {error.strerror}; free it and retry") from error
            started: Future[None] = Future()
            self._thread = threading.Thread(target=self._run, args=(started,), name="rehearsal", daemon=True)
            self._thread.start()
            started.result()
            self._sockets = self._sockets.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._sockets.close()

    def _run(self, started: "Future[None]") -> None:
        try:
            asyncio.run(self._serve(started))
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)  # whoever waits for the start gets it, rather than wait for ever

    async def _serve(self, started: "Future[None]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_tell_in_one_line)
        fates = {name: host.dns for name, host in self._web.hosts.items()}
        addresses = {name: self._places.addresses(host) for name, host in self._web.hosts.items()}
        names, _ = await self._loop.create_datagram_endpoint(
            lambda: NameServer(fates, addresses), sock=self._places.names.dup()
        )
        tls = self._certificates.listening_context()
        conversations: list[tuple[list[socket.socket], _Conversation]] = [
            (self._places.http, lambda accepted: self._converse(accepted, None)),
            (self._places.https, lambda accepted: self._converse(accepted, tls)),
            (self._places.broken, self._break_off),
        ]
        accepting = [
            self._loop.create_task(self._accept(listener, converse))
            for listeners, converse in conversations
            for listener in listeners
        ]
        started.set_result(None)
        await self._stop.wait()
        names.close()
        tasks = [*accepting, *self._conversations]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(3):  # the loop closes an aborted transport's socket a turn or two later
            await asyncio.sleep(0)

    async def _accept(self, listener: socket.socket, converse: _Conversation) -> None:
        while True:
            try:
                accepted, _ = await self._loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(_OUT_OF_SOCKETS_PAUSE)
                continue
            task = self._loop.create_task(converse(accepted))
            self._conversations.add(task)
            task.add_done_callback(partial(self._ended, accepted))

    def _ended(self, accepted: socket.socket, conversation: asyncio.Task[None]) -> None:
        self._conversations.discard(conversation)
        accepted.close()  # still open when the conversation was cancelled before its first step

    async def _break_off(self, accepted: socket.socket) -> None:
        """A handshake that the server refuses as soon as the client has said hello."""
        with contextlib.suppress(OSError):
            await self._loop.sock_recv(accepted, MAX_REQUEST_HEAD)
            await self._loop.sock_sendall(accepted, _HANDSHAKE_FAILURE)

    async def _converse(self, accepted: socket.socket, tls: ssl.SSLContext | None) -> None:
        """One connection from its handshake to its end. Clients come and go as they like: that is no error here."""
        reader = asyncio.StreamReader(limit=MAX_REQUEST_HEAD)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: protocol, accepted, ssl=tls, ssl_shutdown_timeout=1 if tls else None
            )
        except OSError:
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        try:
            while await self._exchange(reader, writer, "https" if tls else "http"):
                pass
            writer.close()
            await writer.wait_closed()
        except (OSError, EOFError):
            pass
        finally:
            transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str) -> bool:
        """Read one request and answer it; whether another may follow."""
        try:
            head = await read_head(reader)
        except BadRequestError as error:
            await write(writer, notice(HTTPStatus.BAD_REQUEST, str(error)))
            return False
        if head is None:
            return False
        request = _received(head, scheme)
        self.requests.append(request)
        host = self._web.hosts.get(request.host)
        if host is None:
            refusal = notice(HTTPStatus.MISDIRECTED_REQUEST, f"no host {request.host!r} in the table")
            await write(writer, _for_method(refusal, request.method))
            return head.keeps_alive
        return await self._answer(writer, head, request, host)

    async def _answer(self, writer: asyncio.StreamWriter, head: Head, request: Request, host: Host) -> bool:
        answer = self._turn(request, host.answer_to(request.scheme, request.path))
        asked_range = head.headers.get("range") if request.method == "GET" else None  # RFC 9110, 14.2
        reply = _for_method(reply_to(answer, request.host, request.path, asked_range), request.method)
        # A length or a coding that the table made up leaves the client guessing where the answer ends.
        framed = not {"content-length", "transfer-encoding"} & {name.lower() for name in answer.headers}
        keeps_alive = head.keeps_alive and framed and answer.fault is None
        if not keeps_alive:
            reply = replace(reply, headers=(*reply.headers, ("Connection", "close")))
        await asyncio.sleep(answer.delay)
        if answer.fault is None:
            await write(writer, reply)
        else:
            await write_faulty(writer, reply, answer.fault)
        return keeps_alive

    def _turn(self, request: Request, answer: Answer) -> Answer:
        """Of an answer's variants, the one whose turn it is."""
        if request.method == "HEAD" and answer.head is not None:
            return answer.head
        if answer.sequence:
            path = (request.host, request.path)
            turn = min(self._answered[path], len(answer.sequence) - 1)
            self._answered[path] += 1
            return self._turn(request, answer.sequence[turn])
        return answer


def _received(head: Head, scheme: str) -> Request:
    at, host, path = time.monotonic(), head.headers.get("host", ""), head.target
    if path.lower().startswith(("http://", "https://")):  # the absolute form, as to a proxy (RFC 9112, 3.2.2)
        host, _, rest = path.partition("://")[2].partition("/")
        path = f"/{rest}"
    return Request(at, scheme, host.partition(":")[0].lower(), head.method, path, head.headers)


def _for_method(reply: Reply, method: str) -> Reply:
    return replace(reply, body=b"") if method == "HEAD" else reply


def _tell_in_one_line(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    _log.warning("rehearsal: %s: %r", context["message"], context.get("exception"))
