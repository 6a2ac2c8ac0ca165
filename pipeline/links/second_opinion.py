"""The second client: requests, asked about what libcurl does not call alive.

A link is "not alive" only when both agree, so this client shares with the first what keeps us safe and polite (guard,
routes, pace, hops followed by the sweep) and nothing of what could make the first one wrong: another HTTP parser,
another TLS library, its own connections. It asks each hop once, without the first client's retries: it confirms what
was retried already. Not asked are URLs whose name does not resolve (both clients would be told so by the same name
servers), which our guard refused, which are malformed, or which were postponed.

Its pitfalls, each met here: it has no deadline on the whole (a watchdog cuts the connection), it would resolve the name
again (the connection is made to the checked address, with SNI, Host and certificate those of the URL), it sends
cookies on redirects and reads the environment's proxies and netrc (a fresh session each time, which does neither), and
it loads the CA file for each host (one SSLContext for all).
"""

import asyncio
import contextlib
import http.client
import http.cookiejar
import logging
import re
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import requests
import urllib3
from urllib3.exceptions import ConnectTimeoutError

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
from pipeline.links.pinned import Cuttable, PinnedAdapter
from pipeline.links.plan import Sweep
from pipeline.links.vocabulary import TIMEOUTS, UNREACHABLE_ERRNOS, VERIFY_RESULTS, ErrorClass, Method

_HTTP_VERSIONS = {10: "1.0", 11: "1.1", 20: "2"}
# urllib3 warns of each header it cannot parse; what matters of it stands in the observation.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class SecondOpinion:
    """A few threads. `free` tells whether one is idle; `ask` must only be called then, so that a request starts when
    the pacer says so and does not wait in a queue."""

    def __init__(self, plan: Sweep) -> None:
        self._plan = plan
        self._open: set[Cuttable] = set()
        self._context: ssl.SSLContext | None = None
        self._pool = ThreadPoolExecutor(plan.opinion_threads, thread_name_prefix="second-opinion")

    @property
    def free(self) -> bool:
        return len(self._open) < self._plan.opinion_threads

    def ask(self, question: Question, on_answer: Callable[[Answer, float], None]) -> None:
        loop = asyncio.get_running_loop()
        if self._context is None:
            self._context = _context(self._plan.ca_file)
        connection = Cuttable()
        self._open.add(connection)
        watchdog = loop.call_later(self._plan.timeout_seconds, connection.cut)
        work = self._pool.submit(_ask, question, self._plan, self._context, connection)

        def done(finished: Future[tuple[Answer, float]]) -> None:
            with contextlib.suppress(RuntimeError):  # the sweep was stopped: nobody waits for the answer
                loop.call_soon_threadsafe(give, finished)

        def give(finished: Future[tuple[Answer, float]]) -> None:
            watchdog.cancel()
            connection.close()
            self._open.discard(connection)
            on_answer(*finished.result())

        work.add_done_callback(done)

    def close(self) -> None:
        for connection in self._open:
            connection.cut()
        self._pool.shutdown(wait=False, cancel_futures=True)


def _context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    # Python 3.13 began to insist on details of certificates that browsers and libcurl let pass.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _ask(question: Question, plan: Sweep, context: ssl.SSLContext, connection: Cuttable) -> tuple[Answer, float]:
    """Runs in a thread: one request, no redirect."""
    began = time.monotonic()
    heard: float | None = None
    with requests.Session() as session:
        session.trust_env = False
        session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        session.mount(f"{question.route.place.scheme}://", PinnedAdapter(context, question.route, connection))
        headers = {"User-Agent": plan.user_agent, "Accept": ACCEPT}
        if question.ranged and question.method is Method.GET:
            headers["Range"] = f"bytes=0-{ASKED_BYTES - 1}"
        response: requests.Response | None = None
        try:
            request = session.prepare_request(requests.Request(question.method.value, question.url, headers))
            response = session.send(
                request, stream=True, allow_redirects=False, timeout=plan.timeout_seconds, verify=True
            )
            heard = time.monotonic()
            answer = _read(response, connection, began, heard)
        except Exception as error:  # noqa: BLE001 - bare UnicodeDecodeError and kin come out of it: all are answers
            answer = _failed(error, response, connection, began)
        finally:
            if response is not None:
                response.close()
    return answer, heard or time.monotonic()


def _read(response: requests.Response, connection: Cuttable, began: float, heard: float) -> Answer:
    status, headers = response.status_code, _headers(response)
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > MAX_HEADER_BYTES:
        return Answer(status, error=ErrorClass.TOO_MANY_HEADERS, detail="more than 64 KB of headers", ip=connection.ip)
    body = bytearray()
    try:
        while len(body) < MAX_BODY_BYTES:
            chunk = response.raw.read1(MAX_BODY_BYTES - len(body), decode_content=True)
            if not chunk:
                break
            body += chunk[: MAX_BODY_BYTES - len(body)]
    except urllib3.exceptions.DecodeError:
        if status != 206 or not body:  # the first part of a compressed whole does not decode to its end
            raise
    if connection.was_cut:
        raise TimeoutError("the whole took too long")
    return Answer(
        status=status,
        headers=headers,
        body=bytes(body),
        tls_verify=0 if response.url and response.url.startswith("https:") else None,
        ip=connection.ip,
        http_version=_HTTP_VERSIONS.get(getattr(response.raw, "version", 0)),
        timings=_timings(connection, began, heard),
    )


def _headers(response: requests.Response) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.raw.headers.items():
        # http.client reads headers as Latin-1; a Location in UTF-8 is meant as UTF-8.
        headers.setdefault(name.lower(), header_text(value.encode("latin-1", "replace")).strip())
    return headers


def _failed(error: Exception, response: requests.Response | None, connection: Cuttable, began: float) -> Answer:
    error_class = ErrorClass.READ_TIMEOUT if connection.was_cut else classify(error)
    if error_class in TIMEOUTS:
        error_class = ErrorClass.READ_TIMEOUT if connection.connected else ErrorClass.CONNECT_TIMEOUT
    verify = next(
        (cause.verify_code for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None
    )
    return Answer(
        status=response.status_code if response is not None else None,
        error=error_class,
        detail=str(_causes(error)[-1]) or type(error).__name__,
        tls_verify=verify,
        ip=connection.ip,
        timings=_timings(connection, began, None),
    )


def _timings(connection: Cuttable, began: float, heard: float | None) -> Timings:
    return Timings(
        connect_ms=(connection.connected - began) * 1000 if connection.connected else None,
        first_byte_ms=(heard - began) * 1000 if heard else None,
        total_ms=(time.monotonic() - began) * 1000,
    )


def classify(error: BaseException) -> ErrorClass:
    """The error class of whatever requests, urllib3, http.client or ssl raised: the innermost cause that says it."""
    for cause in reversed(_causes(error)):
        found = _classify_one(cause)
        if found is not None:
            return found
    return ErrorClass.BAD_RESPONSE


def _classify_one(cause: BaseException) -> ErrorClass | None:
    words = str(cause)
    match cause:
        case ssl.SSLCertVerificationError():
            return VERIFY_RESULTS.get(cause.verify_code, ErrorClass.TLS_HANDSHAKE)
        case urllib3.exceptions.SSLError() | requests.exceptions.SSLError() if "doesn't match" in words:
            return ErrorClass.TLS_WRONG_HOST
        case ssl.SSLError() | requests.exceptions.SSLError():
            return ErrorClass.TLS_HANDSHAKE
        case http.client.RemoteDisconnected():
            return ErrorClass.EMPTY_REPLY
        case ConnectionRefusedError():
            return ErrorClass.CONNECT_REFUSED
        case ConnectionError() | http.client.IncompleteRead() | urllib3.exceptions.IncompleteRead():
            return ErrorClass.CONNECTION_RESET
        case ConnectTimeoutError() | requests.exceptions.ConnectTimeout():
            return ErrorClass.CONNECT_TIMEOUT
        case TimeoutError() | urllib3.exceptions.ReadTimeoutError() | requests.exceptions.ReadTimeout():
            return ErrorClass.READ_TIMEOUT
        case OSError() if cause.errno in UNREACHABLE_ERRNOS:
            return ErrorClass.CONNECT_UNREACHABLE
        case http.client.LineTooLong() | http.client.HTTPException() if re.search("headers?", words):
            return ErrorClass.TOO_MANY_HEADERS
        case requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema():
            return ErrorClass.URL_INVALID
        case _:
            return None


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what it wraps, outermost first. urllib3 and requests keep causes in `reason` and in `args` too."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        inner = [getattr(current, "reason", None), current.__cause__, *current.args, current.__context__]
        current = next((each for each in inner if isinstance(each, BaseException) and each not in chain), None)
    return chain
