"""The small web, observed by real clients: curl for HTTP and TLS, c-ares for names, sockets for what is left."""

import asyncio
import gc
import io
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiodns
import pycurl
import pytest

from pipeline.errors import RehearsalError
from pipeline.rehearsal import Rehearsal, Web, load_web, rehearse
from pipeline.settings import Links

TABLE = """
hosts:
  www.harbor-post.example:
    paths:
      /news/one.html: {title: One, body: "<p>The first.</p>", headers: {X-Desk: night}}
      /news/old.html: {status: 301, location: "https://www.harbor-post.example/news/one.html"}
      /news/gone.html: {status: 410}
      "/search?q=1": {status: 200, body: found}
      /slow: {delay: 0.3}
      /dot.png: {type: image/png, head: {status: 405}}
      /flaky: {sequence: [{status: 503, headers: {Retry-After: 1}}, {status: 429}, {status: 200}]}
      /empty-page: {body: ""}
      /odd: {status: 999}
      /lying-length: {body: short, headers: {Content-Length: 50}}
      /reset-before: {fault: reset_before}
      /reset-after: {fault: reset_after}
      /empty: {fault: empty}
      /truncated: {fault: truncated}
      /drip: {fault: drip}
      /bad: {fault: bad_response}
      /giant: {fault: giant_headers}
  expired.test: {tls: expired, otherwise: {status: 200}}
  self-signed.test: {tls: self_signed, otherwise: {status: 200}}
  unknown-issuer.test: {tls: unknown_issuer, otherwise: {status: 200}}
  wrong-host.test: {tls: wrong_host, otherwise: {status: 200}}
  broken.test: {tls: broken, otherwise: {status: 200}}
  plain-only.test: {tls: none, otherwise: {status: 200}}
  refused.test: {connect: refused}
  stalled.test: {connect: stalled}
  nowhere.test: {dns: nxdomain}
  sick.test: {dns: servfail}
  silent.test: {dns: timeout}
"""
HOST = "www.harbor-post.example"


@dataclass(frozen=True)
class Got:
    """What curl made of one request."""

    error: int
    status: int
    head: str
    body: bytes
    seconds: float
    connects: int


class Browser:
    """A curl that resolves nothing itself and keeps its connection."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self._rehearsal = rehearsal
        self._curl = pycurl.Curl()

    def get(self, url: str, *options: tuple[int, object], timeout: float = 5) -> Got:
        curl, head, body = self._curl, io.BytesIO(), io.BytesIO()
        curl.reset()
        for option, value in [
            (pycurl.URL, url),
            (pycurl.PROXY, ""),
            (pycurl.CONNECT_TO, [f"{source}:{target}" for source, target in self._rehearsal.connect_to.items()]),
            (pycurl.CAINFO, str(self._rehearsal.ca_file)),
            (pycurl.TIMEOUT_MS, int(timeout * 1000)),
            (pycurl.HEADERFUNCTION, head.write),
            (pycurl.WRITEFUNCTION, body.write),
            *options,
        ]:
            curl.setopt(option, value)
        error = 0
        try:
            curl.perform()
        except pycurl.error as failure:
            error = failure.args[0]
        return Got(
            error,
            curl.getinfo(pycurl.RESPONSE_CODE),
            head.getvalue().decode("latin-1"),
            body.getvalue(),
            curl.getinfo(pycurl.TOTAL_TIME),
            curl.getinfo(pycurl.NUM_CONNECTS),
        )


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Web:
    file = tmp_path_factory.mktemp("web") / "web.yaml"
    file.write_text(TABLE)
    return load_web(file)


@pytest.fixture
def rehearsal(web: Web) -> Iterator[Rehearsal]:
    with rehearse(web) as running:
        yield running


@pytest.fixture
def browser(rehearsal: Rehearsal) -> Browser:
    return Browser(rehearsal)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_is_served_over_http_and_https(browser: Browser, scheme: str) -> None:
    got = browser.get(f"{scheme}://{HOST}/news/one.html")

    assert (got.error, got.status) == (0, 200)
    assert b"<title>One</title>" in got.body
    assert "X-Desk: night" in got.head
    assert "Content-Type: text/html; charset=utf-8" in got.head


def test_a_redirect_carries_its_location(browser: Browser) -> None:
    got = browser.get(f"https://{HOST}/news/old.html")

    assert got.status == 301
    assert f"Location: https://{HOST}/news/one.html" in got.head


@pytest.mark.parametrize(
    ("path", "status"), [("/news/gone.html", 410), ("/search?q=1", 200), ("/search", 404), ("/odd", 999)]
)
def test_a_path_answers_its_status(browser: Browser, path: str, status: int) -> None:
    assert browser.get(f"http://{HOST}{path}").status == status


def test_an_empty_page_is_empty(browser: Browser) -> None:
    got = browser.get(f"https://{HOST}/empty-page", (pycurl.RANGE, "0-16383"))

    assert (got.error, got.status, got.body) == (0, 200, b"")


def test_an_answer_can_be_late(browser: Browser) -> None:
    assert browser.get(f"http://{HOST}/slow").seconds >= 0.3


def test_the_start_of_a_page_can_be_asked(browser: Browser) -> None:
    got = browser.get(f"https://{HOST}/news/one.html", (pycurl.RANGE, "0-14"))

    assert (got.status, got.body) == (206, b"<!doctype html>")
    assert "Content-Range: bytes 0-14/" in got.head


def test_head_has_the_headers_of_get_and_no_body(browser: Browser) -> None:
    whole = browser.get(f"http://{HOST}/news/one.html")
    got = browser.get(f"http://{HOST}/news/one.html", (pycurl.NOBODY, True))

    assert (got.status, got.body) == (200, b"")
    assert f"Content-Length: {len(whole.body)}" in got.head


def test_head_can_be_answered_otherwise_than_get(browser: Browser) -> None:
    assert browser.get(f"https://{HOST}/dot.png", (pycurl.NOBODY, True)).status == 405
    assert browser.get(f"https://{HOST}/dot.png").body.startswith(b"\x89PNG")


def test_a_sequence_answers_in_turn_and_repeats_its_last(browser: Browser) -> None:
    answers = [browser.get(f"http://{HOST}/flaky") for _ in range(4)]

    assert [got.status for got in answers] == [503, 429, 200, 200]
    assert "Retry-After: 1" in answers[0].head


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_kept_for_the_next_request(browser: Browser, scheme: str) -> None:
    answers = [browser.get(f"{scheme}://{HOST}/news/{page}.html") for page in ("one", "gone", "one")]

    assert [got.connects for got in answers] == [1, 0, 0]


def test_a_request_body_is_read_and_dropped(browser: Browser) -> None:
    posted = browser.get(f"http://{HOST}/news/one.html", (pycurl.POSTFIELDS, "x" * 200_000))
    after = browser.get(f"http://{HOST}/news/gone.html")

    assert (posted.status, after.status, after.connects) == (200, 410, 0)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/reset-before", pycurl.E_RECV_ERROR),
        ("/reset-after", pycurl.E_RECV_ERROR),
        ("/empty", pycurl.E_GOT_NOTHING),
        ("/truncated", pycurl.E_PARTIAL_FILE),
        ("/lying-length", pycurl.E_PARTIAL_FILE),
        ("/bad", pycurl.E_UNSUPPORTED_PROTOCOL),  # curl takes it for HTTP/0.9
    ],
)
def test_a_fault_reaches_the_client(browser: Browser, scheme: str, path: str, error: int) -> None:
    assert browser.get(f"{scheme}://{HOST}{path}").error == error


def test_a_late_reset_lets_the_headers_and_some_of_the_body_through(browser: Browser) -> None:
    got = browser.get(f"http://{HOST}/reset-after")

    assert got.status == 200
    assert got.body


def test_a_reset_is_an_rst_and_an_empty_answer_a_clean_end(rehearsal: Rehearsal) -> None:
    assert raw(rehearsal, b"GET /empty HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode()) == b""
    with pytest.raises(ConnectionResetError):
        raw(rehearsal, b"GET /reset-before HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode())


def test_a_drip_is_one_byte_a_second(browser: Browser) -> None:
    got = browser.get(f"http://{HOST}/drip", (pycurl.HTTP09_ALLOWED, True), timeout=2.5)

    assert got.error == pycurl.E_OPERATION_TIMEDOUT
    assert got.status == 0


def test_giant_headers_are_over_64_kb(browser: Browser) -> None:
    got = browser.get(f"https://{HOST}/giant")

    assert got.status == 200
    assert len(got.head) > 64 * 1024


@pytest.mark.parametrize(
    ("host", "openssl_code"),
    [("expired.test", 10), ("self-signed.test", 18), ("unknown-issuer.test", 20), ("wrong-host.test", 62)],
)
def test_each_bad_certificate_is_bad_in_the_way_the_table_names(
    browser: Browser, rehearsal: Rehearsal, host: str, openssl_code: int
) -> None:
    trusting = ssl.create_default_context(cafile=str(rehearsal.ca_file))
    with (
        socket.create_connection(address(rehearsal.connect_to[f"{host}:443"])) as plain,
        pytest.raises(ssl.SSLCertVerificationError) as failure,
    ):
        trusting.wrap_socket(plain, server_hostname=host)

    assert failure.value.verify_code == openssl_code
    assert browser.get(f"https://{host}/").error == pycurl.E_PEER_FAILED_VERIFICATION
    assert browser.get(f"http://{host}/").status == 200


def test_a_broken_handshake_fails_with_an_alert(browser: Browser, rehearsal: Rehearsal) -> None:
    trusting = ssl.create_default_context(cafile=str(rehearsal.ca_file))
    with (
        socket.create_connection(address(rehearsal.connect_to["broken.test:443"])) as plain,
        pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"),
    ):
        trusting.wrap_socket(plain, server_hostname="broken.test")

    assert browser.get("https://broken.test/").error == pycurl.E_SSL_CONNECT_ERROR
    assert browser.get("http://broken.test/").status == 200


def test_a_bad_certificate_serves_those_who_do_not_care(browser: Browser) -> None:
    lax = [(pycurl.SSL_VERIFYPEER, False), (pycurl.SSL_VERIFYHOST, 0)]

    assert browser.get("https://expired.test/", *lax).status == 200


def test_a_certificate_names_its_host_to_any_client(rehearsal: Rehearsal) -> None:
    trusting = ssl.create_default_context(cafile=str(rehearsal.ca_file))
    with (
        socket.create_connection(address(rehearsal.connect_to[f"{HOST}:443"])) as plain,
        trusting.wrap_socket(plain, server_hostname=HOST) as secure,
    ):
        certificate = secure.getpeercert()

    assert certificate is not None
    assert ("DNS", HOST) in certificate["subjectAltName"]


@pytest.mark.parametrize("url", ["http://refused.test/", "https://refused.test/", "https://plain-only.test/"])
def test_a_refused_connection_is_refused(browser: Browser, url: str) -> None:
    assert browser.get(url).error == pycurl.E_COULDNT_CONNECT


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_stalled_host_never_answers(browser: Browser, scheme: str) -> None:
    got = browser.get(f"{scheme}://stalled.test/", timeout=0.4)

    assert (got.error, got.status) == (pycurl.E_OPERATION_TIMEDOUT, 0)


def test_an_unknown_host_is_misdirected(rehearsal: Rehearsal) -> None:
    assert raw(rehearsal, b"GET / HTTP/1.1\r\nHost: stranger.test\r\nConnection: close\r\n\r\n").startswith(
        b"HTTP/1.1 421 "
    )


def test_a_refused_head_leaves_the_connection_fit_for_the_next_request(rehearsal: Rehearsal) -> None:
    head = b"HEAD / HTTP/1.1\r\nHost: stranger.test\r\n\r\n"
    get = b"GET /search?q=1 HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % HOST.encode()

    refused, answered, body = raw(rehearsal, head + get).split(b"\r\n\r\n")

    assert (refused[:12], answered[:12], body) == (b"HTTP/1.1 421", b"HTTP/1.1 200", b"found")


def test_a_request_in_absolute_form_is_understood(rehearsal: Rehearsal) -> None:
    request = b"GET http://%s/search?q=1 HTTP/1.0\r\n\r\n" % HOST.encode()

    assert raw(rehearsal, request).endswith(b"\r\n\r\nfound")


@pytest.mark.parametrize("request_bytes", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"])
def test_what_is_no_request_gets_400_or_a_closed_door(rehearsal: Rehearsal, request_bytes: bytes) -> None:
    try:
        answer = raw(rehearsal, request_bytes)
    except ConnectionResetError:
        return  # closing with bytes of the client unread may overtake the answer
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_every_request_is_logged_with_its_time(browser: Browser, rehearsal: Rehearsal) -> None:
    browser.get(f"http://{HOST}/news/one.html", (pycurl.USERAGENT, "newsledger-test"))
    time.sleep(0.2)
    browser.get(f"https://{HOST}/search?q=1", (pycurl.NOBODY, True))

    first, second = rehearsal.requests()
    assert (first.scheme, first.host, first.method, first.path) == ("http", HOST, "GET", "/news/one.html")
    assert first.headers["user-agent"] == "newsledger-test"
    assert (second.scheme, second.method, second.path) == ("https", "HEAD", "/search?q=1")
    assert 0.2 <= second.at - first.at < 2


async def look_up(rehearsal: Rehearsal, *names: str) -> list[tuple[str, ...] | int]:
    """For each name its addresses, or the error of c-ares."""
    resolver = aiodns.DNSResolver(timeout=0.3, tries=1)
    resolver.nameservers = list(rehearsal.nameservers)
    found: list[tuple[str, ...] | int] = []
    for name in names:
        try:
            answer = await resolver.query_dns(name, "A")
            found.append(tuple(record.data.addr for record in answer.answer))
        except aiodns.error.DNSError as error:
            found.append(error.args[0])
    await resolver.close()
    return found


def test_names_are_answered_by_its_own_name_server(rehearsal: Rehearsal) -> None:
    names = (HOST, "nowhere.test", "stranger.test", "sick.test", "silent.test")

    assert asyncio.run(look_up(rehearsal, *names)) == [
        ("127.0.0.1",),
        aiodns.error.ARES_ENOTFOUND,
        aiodns.error.ARES_ENOTFOUND,
        aiodns.error.ARES_ESERVFAIL,
        aiodns.error.ARES_ETIMEOUT,
    ]


def test_a_host_whose_name_fails_has_no_place_to_connect_to(rehearsal: Rehearsal) -> None:
    hosts = {source.rpartition(":")[0] for source in rehearsal.connect_to}

    assert HOST in hosts
    assert not hosts & {"nowhere.test", "sick.test", "silent.test"}


def test_the_settings_of_links_are_filled_and_the_users_own_kept(rehearsal: Rehearsal, tmp_path: Path) -> None:
    own = tmp_path / "own.pem"
    own.write_text("their authority\n")
    links = Links(
        connect_to={"own.test:80": "127.0.0.1:9", f"{HOST}:80": "127.0.0.1:8"},
        nameservers=("127.0.0.1:53",),
        allow_addresses=("10.0.0.0/8",),
        ca_file=own,
        pace_seconds=2,
    )

    filled = rehearsal.links(links)

    assert filled.connect_to == rehearsal.connect_to | links.connect_to
    assert filled.nameservers == (*rehearsal.nameservers, "127.0.0.1:53")
    assert filled.allow_addresses == ("127.0.0.1/32", "10.0.0.0/8")
    assert filled.ca_file is not None
    assert filled.ca_file.read_text() == f"their authority\n\n{rehearsal.ca_file.read_text()}"
    assert filled.pace_seconds == 2
    assert rehearsal.links(Links()).ca_file == rehearsal.ca_file
    Links.model_validate(filled.model_dump())


def test_an_authority_of_the_users_that_is_not_there_is_told(rehearsal: Rehearsal, tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match=r"links\.ca_file: .*own\.pem cannot be read"):
        rehearsal.links(Links(ca_file=tmp_path / "own.pem"))


def test_hundreds_of_connections_are_served_at_once(web: Web) -> None:
    with rehearse(web) as rehearsal:
        started = time.monotonic()
        statuses = asyncio.run(crowd(rehearsal, 400))
        seconds = time.monotonic() - started

    assert statuses == [b"200"] * 400
    assert seconds < 5


async def crowd(rehearsal: Rehearsal, size: int) -> list[bytes]:
    async def one() -> bytes:
        reader, writer = await asyncio.open_connection(*address(rehearsal.connect_to[f"{HOST}:80"]))
        writer.write(b"GET /slow HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % HOST.encode())
        answer = await reader.read()
        writer.close()
        return answer.split(b" ")[1]

    return await asyncio.gather(*(one() for _ in range(size)))


@pytest.mark.filterwarnings("error")
def test_it_starts_and_stops_at_once_and_leaves_nothing_behind(web: Web) -> None:
    gc.collect()
    descriptors, threads = open_descriptors(), threading.active_count()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        started = time.monotonic()
        with rehearse(web) as rehearsal:
            up = time.monotonic()
            visitors = [
                visitor
                for _ in range(20)
                for visitor in (
                    open_request(rehearsal, "80", b"GET /drip HTTP/1.1\r\nHost: %s\r\n\r\n" % HOST.encode()),
                    open_request(rehearsal, "80", b""),
                    open_request(rehearsal, "443", b"\x16\x03\x01"),  # in the middle of a handshake
                )
            ]
            time.sleep(0.2)
            stopping = time.monotonic()
        stopped = time.monotonic()
        for visitor in visitors:
            visitor.close()
        gc.collect()

    assert up - started < 0.3
    assert stopped - stopping < 0.5
    assert [str(warning.message) for warning in told] == []
    assert open_descriptors() == descriptors
    assert threading.active_count() == threads
    assert not rehearsal.ca_file.parent.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address(rehearsal.connect_to[f"{HOST}:80"]))


def test_nothing_is_printed_whatever_clients_do(web: Web, capfd: pytest.CaptureFixture[str]) -> None:
    with rehearse(web) as rehearsal:
        browser = Browser(rehearsal)
        for url in (f"https://{HOST}/reset-after", "https://broken.test/", "https://expired.test/"):
            browser.get(url)
        for port in ("80", "443"):
            open_request(rehearsal, port, b"GET http://[ HTTP/1.1\r\nHost: [\r\n\r\n\x00").close()
        browser.get(f"https://{HOST}/slow", timeout=0.1)
        time.sleep(0.4)
    gc.collect()

    assert capfd.readouterr() == ("", "")


def test_it_ends_when_its_block_fails(web: Web) -> None:
    threads = threading.active_count()

    with pytest.raises(ZeroDivisionError), rehearse(web):
        _ = 1 / 0

    assert threading.active_count() == threads


@pytest.mark.parametrize("stops", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
def test_the_command_prints_options_for_curl_and_stops_when_told(tmp_path: Path, stops: list[signal.Signals]) -> None:
    file = tmp_path / "web.yaml"
    file.write_text("hosts: {a.test: {otherwise: {status: 200, body: hello}}}")
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.rehearsal", str(file)], stdout=subprocess.PIPE, text=True
    ) as command:
        assert command.stdout is not None
        lines = [command.stdout.readline() for _ in range(5)]
        for number in stops:
            command.send_signal(number)
        rest = command.stdout.read()

    assert [line.split(" ")[0] for line in lines] == ["#", "#", "--cacert", "--connect-to", "--connect-to"]
    assert lines[4].startswith('--connect-to "a.test:443:127.0.0.1:')
    assert (rest, command.returncode) == ("", 0)


def test_the_command_tells_a_mistake_in_a_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.rehearsal", str(tmp_path / "web.yaml")], capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{tmp_path / 'web.yaml'}: cannot be read: No such file or directory; name a web.yaml\n"


def address(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    return host, int(port)


def open_request(rehearsal: Rehearsal, port: str, request: bytes) -> socket.socket:
    opened = socket.create_connection(address(rehearsal.connect_to[f"{HOST}:{port}"]), timeout=3)
    opened.sendall(request)
    return opened


def raw(rehearsal: Rehearsal, request: bytes) -> bytes:
    with open_request(rehearsal, "80", request) as opened:
        received = b""
        while part := opened.recv(65536):
            received += part
        return received


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 (Path.iterdir holds a descriptor of its own)
