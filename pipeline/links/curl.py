"""The first client: libcurl, many transfers at once on one event loop.

It is told everything and left nothing to decide: which address to connect to (libcurl never resolves), no redirects, no
proxy, no cookies, no netrc, http and https only, caps on headers, body and time. Should a name still lead elsewhere,
the socket is refused at the moment it is opened.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable
from typing import Any

import pycurl

from pipeline.links.exchange import (
    ACCEPT,
    ASKED_BYTES,
    MAX_BODY_BYTES,
    MAX_HEADER_BYTES,
    Answer,
    Question,
    Timings,
    header_text,
)
from pipeline.links.multi import Failure, Multi
from pipeline.links.plan import Sweep
from pipeline.links.route import Route
from pipeline.links.vocabulary import UNREACHABLE_ERRNOS, VERIFY_RESULTS, ErrorClass, Method

_HTTP_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}
_NOT_BY_STATUS = {
    1: ErrorClass.BAD_RESPONSE,  # HTTP/0.9 and other answers in no protocol we speak: our own URLs are all http(s)
    3: ErrorClass.URL_INVALID,
    6: ErrorClass.DNS_SERVFAIL,  # libcurl asked a resolver: must not happen, and is never the site's fault
    8: ErrorClass.BAD_RESPONSE,
    16: ErrorClass.BAD_RESPONSE,
    18: ErrorClass.CONNECTION_RESET,
    43: ErrorClass.BAD_RESPONSE,
    52: ErrorClass.EMPTY_REPLY,
    55: ErrorClass.CONNECTION_RESET,
    56: ErrorClass.CONNECTION_RESET,
    61: ErrorClass.BAD_RESPONSE,
    92: ErrorClass.CONNECTION_RESET,
    100: ErrorClass.TOO_MANY_HEADERS,
}
_TLS_CODES = {35, 51, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98}

_KEPT_CONNECTIONS = 1024
"""Idle connections kept for the next request of their host, so that a host is not greeted anew for each of its URLs."""

_KEPT_TRANSFERS = 256
"""Transfers without work that wait for the next request; the others give their memory back."""

OnAnswer = Callable[[Answer, float], None]
"""Called with the answer and a monotonic time by which the server has seen the request."""


class CurlClient:
    """Make it inside a running loop; `ask` returns at once and calls back. Close it in the end. `on_turn` is called
    whenever something may have ended, and soon after `wake`."""

    def __init__(self, plan: Sweep, on_turn: Callable[[], None]) -> None:
        self._plan = plan
        self._idle: list[_Transfer] = []
        self._multi = Multi(max(_KEPT_CONNECTIONS, plan.concurrency), on_turn)
        self.wake = self._multi.call
        self.turn = self._multi.turn

    @property
    def came(self) -> int:
        """How many answers, or parts of them, came in at once in this turn."""
        return self._multi.came

    def ask(self, question: Question, on_answer: OnAnswer) -> None:
        transfer = self._idle.pop() if self._idle else _Transfer(self._plan, self._idle)
        transfer.prepare(question, on_answer)
        self._multi.add(transfer.curl, transfer.ended)

    def close(self) -> None:
        self._multi.close()
        for transfer in self._idle:
            transfer.close()


class _Transfer:
    """One easy handle, used for one request after another. It lies among the `idle` between two."""

    __slots__ = (
        *("curl", "_idle", "_on_answer", "_body", "_body_room", "_head", "_head_room", "_stopped", "_addresses"),
        *("_refused", "_heard_at", "_is_led", "_resolved", "_way", "_is_last", "_is_secure"),
    )

    def __init__(self, plan: Sweep, idle: "list[_Transfer]") -> None:
        self.curl = pycurl.Curl()
        self._idle = idle
        self._body: list[bytes] = []
        self._body_room = 0
        self._head: list[bytes] = []
        self._head_room = 0
        self._stopped: str | None = None
        self._addresses: tuple[str, ...] = ()
        self._refused: str | None = None
        self._heard_at: float | None = None
        self._is_led = False
        self._resolved: str | None = None
        self._way: tuple[Method, bool] | None = None
        self._is_last = False
        self._is_secure = False
        milliseconds = max(1, int(plan.timeout_seconds * 1000))
        for option, value in {
            pycurl.NOSIGNAL: 1,
            pycurl.FOLLOWLOCATION: 0,
            pycurl.PROXY: "",  # else the environment's proxy is used
            pycurl.NETRC: pycurl.NETRC_IGNORED,
            pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.REDIR_PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
            pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
            pycurl.ACCEPT_ENCODING: "",
            pycurl.USERAGENT: plan.user_agent,
            pycurl.HTTPHEADER: [f"Accept: {ACCEPT}"],
            pycurl.CAINFO: plan.ca_file,
            pycurl.DNS_CACHE_TIMEOUT: 0,  # the cache is walked for each connection: it must not hold every host
            pycurl.SSL_VERIFYPEER: 1,
            pycurl.SSL_VERIFYHOST: 2,
            pycurl.PATH_AS_IS: 1,
            pycurl.TIMEOUT_MS: milliseconds,
            pycurl.CONNECTTIMEOUT_MS: milliseconds,
            pycurl.WRITEFUNCTION: self._take_body,
            pycurl.HEADERFUNCTION: self._take_header,
            pycurl.OPENSOCKETFUNCTION: self._open_socket,
        }.items():
            self.curl.setopt(option, value)

    def prepare(self, question: Question, on_answer: OnAnswer) -> None:
        self._on_answer = on_answer
        self._head, self._head_room = [], MAX_HEADER_BYTES
        self._body, self._body_room = [], MAX_BODY_BYTES
        self._stopped = self._refused = self._heard_at = None
        place, route = question.route.place, question.route
        self._is_secure = place.scheme == "https"
        self._addresses = route.addresses
        curl = self.curl
        curl.setopt(pycurl.URL, question.url)
        if route.mapped or place.host not in route.addresses:
            self._lead(question.route)
        elif self._is_led or self._resolved:
            self._lead(None)
        if question.is_last is not self._is_last:  # a connection at rest costs memory, a secure one 100 KB
            self._is_last = question.is_last
            curl.setopt(pycurl.FORBID_REUSE, question.is_last)
        way = (question.method, question.ranged)
        if way != self._way:
            self._way = way
            curl.setopt(pycurl.NOBODY if question.method is Method.HEAD else pycurl.HTTPGET, 1)
            if question.ranged and question.method is Method.GET:
                curl.setopt(pycurl.RANGE, f"0-{ASKED_BYTES - 1}")
            else:
                curl.unsetopt(pycurl.RANGE)

    def _lead(self, route: Route | None) -> None:
        """Have libcurl connect where the route says, whatever the name in the URL. What it was told of the name before
        is taken back: without a term it would stay for ever, and with one it would run out in mid-request."""
        connect_to: list[str] = []
        resolve = [f"-{self._resolved}"] if self._resolved else []
        self._resolved = None
        if route is not None:
            place = route.place
            host = f"[{place.host}]" if ":" in place.host else place.host
            if route.mapped:
                address = f"[{route.addresses[0]}]" if ":" in route.addresses[0] else route.addresses[0]
                connect_to = [f"{host}:{place.port}:{address}:{route.port}"]
            else:
                self._resolved = f"{host}:{place.port}"
                resolve.append(f"{self._resolved}:{','.join(route.addresses)}")
        self.curl.setopt(pycurl.CONNECT_TO, connect_to)
        self.curl.setopt(pycurl.RESOLVE, resolve)
        self._is_led = route is not None

    def ended(self, failure: Failure | None) -> None:
        answer, seen_at = self._answer(failure)
        on_answer = self._on_answer
        if len(self._idle) < _KEPT_TRANSFERS:
            self._idle.append(self)
        else:
            self.close()
        on_answer(answer, seen_at)

    def _answer(self, failure: Failure | None) -> tuple[Answer, float]:
        curl = self.curl
        total = curl.getinfo(pycurl.TOTAL_TIME_T) / 1e6
        status = curl.getinfo(pycurl.RESPONSE_CODE) or None
        # A connection used again was verified when it was made.
        secure = self._is_secure and (
            status is not None
            or curl.getinfo(pycurl.APPCONNECT_TIME_T) > 0
            or (failure is not None and failure[0] in _TLS_CODES)
        )
        error, detail = self._error(failure, status)
        body = b"".join(self._body)
        return (
            Answer(
                status,
                self._headers(),
                body,
                error,
                detail,
                curl.getinfo(pycurl.SSL_VERIFYRESULT) if secure else None,
                None if self._refused else curl.getinfo(pycurl.PRIMARY_IP) or None,
                _HTTP_VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION)),
                self._timings(total),
            ),
            # Once its answer begins, the server has surely seen the request; a gap counted from an earlier moment would
            # be shorter at the server than here by what the way there took. By our own clock: libcurl's times are those
            # of its last look at the clock, which a busy machine can make many milliseconds old.
            self._heard_at or time.monotonic(),
        )

    def close(self) -> None:
        self.curl.close()

    def _take_body(self, chunk: bytes) -> int | None:
        self._body_room -= len(chunk)
        if self._body_room < 0:
            self._body.append(chunk[: self._body_room])
            self._stopped = "body"
            return 0
        self._body.append(chunk)
        return None

    def _take_header(self, line: bytes) -> int | None:
        if self._heard_at is None:
            self._heard_at = time.monotonic()
        self._head_room -= len(line)
        if self._head_room < 0:
            self._stopped = "header"
            return 0
        self._head.append(line)
        return None

    def _open_socket(self, _purpose: int, address: Any) -> Any:
        ip = address.addr[0]
        if ip not in self._addresses:
            self._refused = str(ip)  # libcurl reports this as a failed connect: remember whose doing it was
            return pycurl.SOCKET_BAD
        opened = socket.socket(address.family, address.socktype, address.protocol)
        # pycurl goes on with a duplicate of its own; this one must not outlive it, or epoll would go on reporting what
        # happens to a connection that libcurl has closed.
        asyncio.get_running_loop().call_soon(opened.close)
        return opened

    def _headers(self) -> dict[str, str]:
        try:
            lines = [line.decode() for line in self._head]
        except UnicodeDecodeError:
            lines = [header_text(line) for line in self._head]
        headers: dict[str, str] = {}
        for line in lines:
            if line.startswith("HTTP/"):  # the answers before the last one were interim
                headers.clear()
                continue
            name, colon, value = line.partition(":")
            if colon:
                headers.setdefault(name.strip().lower(), value.strip())
        return headers

    def _error(self, failure: Failure | None, status: int | None) -> tuple[ErrorClass | None, str | None]:
        if failure is None:
            return None, None
        code, words = failure
        if self._refused:
            return ErrorClass.ADDRESS_REFUSED, f"{self._refused} is not an address that was checked"
        if self._stopped == "header" or (code in (27, 56) and "header" in words.lower()):
            return ErrorClass.TOO_MANY_HEADERS, words
        if self._stopped == "body":
            return None, None  # the cap was ours
        if code in (23, 61) and status == 206 and self._body:
            return None, None  # the first part of a compressed whole does not decode to its end
        return self._classify(code, words), words

    def _classify(self, code: int, words: str) -> ErrorClass:
        lower = words.lower()
        # A connection used again has no connect time of its own, but the request has been sent.
        connected = self.curl.getinfo(pycurl.CONNECT_TIME_T) > 0 or self.curl.getinfo(pycurl.REQUEST_SIZE) > 0
        if code == 28:
            return ErrorClass.READ_TIMEOUT if connected else ErrorClass.CONNECT_TIMEOUT
        if code == 7:
            return _connect_error(self.curl.getinfo(pycurl.OS_ERRNO), lower)
        if code in _TLS_CODES:
            if code == 35 and "reset by peer" in lower:
                return ErrorClass.CONNECTION_RESET
            if code in (51, 60):
                verified = self.curl.getinfo(pycurl.SSL_VERIFYRESULT)
                if verified == 0 or "subject name" in lower:
                    return ErrorClass.TLS_WRONG_HOST
                return VERIFY_RESULTS.get(verified, ErrorClass.TLS_HANDSHAKE)
            return ErrorClass.TLS_HANDSHAKE
        return _NOT_BY_STATUS.get(code, ErrorClass.BAD_RESPONSE)

    def _timings(self, total: float) -> Timings:
        ask = self.curl.getinfo
        first = ask(pycurl.STARTTRANSFER_TIME_T) / 1000 or None
        if not ask(pycurl.NUM_CONNECTS):  # a connection used again
            return Timings(None, None, first, total * 1000)
        name, connected, secured = (
            ask(pycurl.NAMELOOKUP_TIME_T) / 1000,
            ask(pycurl.CONNECT_TIME_T) / 1000,
            ask(pycurl.APPCONNECT_TIME_T) / 1000,
        )
        return Timings(
            connect_ms=connected - name if connected > name else None,
            tls_ms=secured - connected if secured > connected else None,
            first_byte_ms=first,
            total_ms=total * 1000,
        )


def _connect_error(os_errno: int, words: str) -> ErrorClass:
    if os_errno in UNREACHABLE_ERRNOS or "unreachable" in words:
        return ErrorClass.CONNECT_UNREACHABLE
    if os_errno == errno.ETIMEDOUT or "timed out" in words:
        return ErrorClass.CONNECT_TIMEOUT
    return ErrorClass.CONNECT_REFUSED
