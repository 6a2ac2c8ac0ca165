"""Nothing is sent to where a stranger's link must not lead, by neither client, whatever names and answers say.

The refusals by address and by redirect are cases of the hostile web; here is what a table cannot play.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest

from pipeline.links.curl import CurlClient
from pipeline.links.exchange import Answer, Question
from pipeline.links.route import Place, Route
from pipeline.links.second_opinion import SecondOpinion
from pipeline.links.vocabulary import ErrorClass, Method
from pipeline.printing import print_as
from pipeline.rehearsal import Rehearsal, Web, rehearse
from tests.hostile_web.night import LINKS, due_url, planned, sweep_night

CHECKED, PRIVATE = "127.0.0.1", "127.0.0.2"
"""Loopback both, since tests send nothing beyond it; the settings of the rehearsal let only the first one pass."""
WEB = Web.model_validate(
    {
        "hosts": {
            "rebind.example": {
                "addresses": [CHECKED, PRIVATE],
                "paths": {"/moved": {"status": 302, "location": "/gone"}, "/gone": {"status": 404}},
            },
            "inside.example": {"addresses": [PRIVATE]},
            "plain.example": {"paths": {"/page": {}}},
        }
    }
)


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    with rehearse(WEB) as running:
        yield running


@contextmanager
def trap(port: int) -> Iterator[list[object]]:
    """Listens at the private address and remembers who came."""
    came: list[object] = []
    with socket.socket() as listener:
        listener.bind((PRIVATE, port))
        listener.listen()
        listener.settimeout(0.05)
        done = threading.Event()

        def wait() -> None:
            while not done.is_set():
                try:
                    visitor, where = listener.accept()
                except TimeoutError:
                    continue
                visitor.close()
                came.append(where)

        waiting = threading.Thread(target=wait)
        waiting.start()
        try:
            yield came
        finally:
            done.set()
            waiting.join()


def port_of(rehearsal: Rehearsal) -> int:
    return int(rehearsal.connect_to["plain.example:80"].rpartition(":")[2])


def test_a_name_that_answers_anew_leads_no_request_elsewhere(rehearsal: Rehearsal) -> None:
    """DNS rebinding: the name is public when it is checked and private the next time it is asked for. Two hops, two
    clients and a retry all go to the address that was checked."""
    port = port_of(rehearsal)
    url = f"http://rebind.example:{port}/moved"
    with trap(port) as came:
        first = sweep_night([due_url(url)], planned(rehearsal.links(LINKS)))
        asked = [(row["client"], row["hop"], row["http_status"], row["ip"]) for row in first.rows(url)]
        assert asked == [
            ("libcurl", 0, 302, CHECKED),
            ("libcurl", 1, 404, CHECKED),
            ("requests", 0, 302, CHECKED),
            ("requests", 1, 404, CHECKED),
        ]
        second = sweep_night([due_url(url)], planned(rehearsal.links(LINKS), "r2"))
        assert [(row["kind"], row["error_class"], row["ip"]) for row in second.rows(url)] == [
            ("guard", "address_refused", None)
        ]
    assert came == []


def test_a_name_that_leads_inside_is_refused_with_the_reason(rehearsal: Rehearsal) -> None:
    port = port_of(rehearsal)
    url = f"http://inside.example:{port}/"
    with trap(port) as came:
        night = sweep_night([due_url(url)], planned(rehearsal.links(LINKS)))
    [row] = night.rows(url)
    assert (row["kind"], row["error_detail"]) == ("guard", f"{PRIVATE} is loopback")
    assert night.verdicts()[url]["verdict"] == "refused"
    assert came == []


def test_the_socket_is_refused_where_libcurl_would_go_elsewhere(rehearsal: Rehearsal) -> None:
    """The backstop: should a URL ever reach libcurl by a route that is not its own, no socket is opened for it."""
    port = port_of(rehearsal)
    wrong = Route(Place("http", CHECKED, port), (CHECKED,), port)
    with trap(port) as came:
        answer = asyncio.run(_by_libcurl(Question(f"http://{PRIVATE}:{port}/", Method.GET, True, wrong), rehearsal))
    assert (answer.error, answer.status, answer.ip) == (ErrorClass.ADDRESS_REFUSED, None, None)
    assert came == []


def test_requests_connects_to_the_route_and_not_to_the_url(rehearsal: Rehearsal) -> None:
    port = port_of(rehearsal)
    route = Route(Place("http", PRIVATE, port), (CHECKED,), port)
    with trap(port) as came:
        answer = asyncio.run(_by_requests(Question(f"http://{PRIVATE}:{port}/", Method.GET, True, route), rehearsal))
    assert (answer.status, answer.ip) == (421, CHECKED)  # the small web knows no such host
    assert came == []


async def _by_libcurl(question: Question, rehearsal: Rehearsal) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    client = CurlClient(planned(rehearsal.links(LINKS)), lambda: None)
    try:
        client.ask(question, lambda answer, _: answered.set_result(answer))
        return await answered
    finally:
        client.close()


async def _by_requests(question: Question, rehearsal: Rehearsal) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    client = SecondOpinion(planned(rehearsal.links(LINKS)))
    try:
        client.ask(question, lambda answer, _: answered.set_result(answer))
        return await answered
    finally:
        client.close()


def test_user_information_of_a_redirect_is_left_out_and_told() -> None:
    web = Web.model_validate(
        {
            "hosts": {
                "a.example": {"paths": {"/x": {"status": 302, "location": "http://me:secret@a.example/y"}, "/y": {}}}
            }
        }
    )
    with rehearse(web) as rehearsal:
        night = sweep_night([due_url("http://a.example/x")], planned(rehearsal.links(LINKS)))
    first, second = night.rows("http://a.example/x")[:2]
    assert (first["redirect_to"], second["request_url"]) == ("http://a.example/y", "http://a.example/y")
    assert "user information" in str(first["error_detail"])


def test_a_title_cannot_command_the_terminal(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What a page calls itself is data: no escape sequence and no markup of ours comes out of it."""
    title = "\x1b[2J\x1b]0;owned\x07 [red]loud[/red] <script>alert(1)</script>"
    web = Web.model_validate({"hosts": {"a.example": {"paths": {"/x": {"title": title, "body": "<p>words</p>"}}}}})
    with rehearse(web) as rehearsal:
        night = sweep_night([due_url("http://a.example/x")], planned(rehearsal.links(LINKS)))
    kept = night.verdicts()["http://a.example/x"]["title"]
    print_as(pa.table({"title": [kept]}), "table")
    printed = capsysbinary.readouterr().out
    assert b"\x1b" not in printed
    assert b"\x07" not in printed
    assert b"[red]loud[/red]" in printed
