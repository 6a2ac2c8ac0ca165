"""What is read from an answer: waits, challenges, titles, fingerprints, errors, and what comes next."""

import http.client
import random
import ssl
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import requests
import urllib3

from pipeline.links import DueUrl, Sweep, plan_sweep
from pipeline.links.exchange import Answer, parse_retry_after
from pipeline.links.journey import Act, first_visit, next_step
from pipeline.links.page import read_page
from pipeline.links.second_opinion import classify
from pipeline.links.vocabulary import ErrorClass
from pipeline.settings import Links

NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
HTML = "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("120", 120), (" 7 ", 7), ("1.5", 1.5), ("1m30s", 90), ("1h", 3600), ("2H5S", 7205), ("45s", 45),
        ("Sun, 01 Mar 2026 02:00:30 GMT", 30), ("Sun, 01 Mar 2026 01:00:00 GMT", 0), ("", None), (None, None),
        ("soon", None), ("-5", None), ("99999999999999999999", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_a_date_or_a_span(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<title>Caf&eacute; &amp;\n  news</title>", "Café & news"),
        ("<html><head><title>A</title><svg><title>icon</title></svg>", "A"),
        ("<svg><title>icon</title></svg><p>x", None),
        ("<title>cut of", "cut of"),
        ("<title></title><p>x", None),
        ("<title>" + "x" * 900 + "</title>", "x" * 300),
    ],
)
def test_a_title_is_the_first_of_the_page_as_text(html: str, title: str | None) -> None:
    page = read_page(html.encode(), HTML, "http://a.example/")
    assert page is not None
    assert page.title == title


def test_a_title_is_read_in_the_page_s_own_charset() -> None:
    by_header = read_page("<title>Zoë</title>".encode("latin-1"), "text/html; charset=iso-8859-1", "http://a.example/")
    by_meta = read_page(
        '<meta charset="windows-1252"><title>Zoë</title>'.encode("cp1252"), "text/html", "http://a.example/"
    )
    unknown = read_page("<title>Zoë</title>".encode(), "text/html; charset=klingon", "http://a.example/")
    assert [page and page.title for page in (by_header, by_meta, unknown)] == ["Zoë"] * 3


def test_what_is_no_html_has_no_page() -> None:
    assert read_page(b"%PDF", "application/pdf", "http://a.example/") is None
    assert read_page(b"<title>x</title>", None, "http://a.example/") is None
    assert read_page(b"", HTML, "http://a.example/") is None


def fingerprint(html: str, path: str = "/") -> str | None:
    page = read_page(html.encode(), HTML, f"http://a.example{path}")
    return page.fingerprint if page else None


def test_a_page_that_echoes_its_path_a_token_or_the_time_stays_the_same_page() -> None:
    first = (
        "<title>Not found</title><script>var t = 1</script><p>No  page /news/some-story here. Request a1b2c3 at 12:30"
    )
    second = (
        "<title>Not found</title><script>var u = 2</script><p>no page /blog/other-tale here.\n request f9e8d7 at 09:15"
    )
    assert fingerprint(first, "/news/some-story") == fingerprint(second, "/blog/other-tale")
    assert fingerprint("<p>Another page altogether") != fingerprint(first, "/news/some-story")
    assert fingerprint("<p><img src=x></p>") is None


def test_a_page_with_nothing_to_read_but_its_title_has_no_fingerprint() -> None:
    assert fingerprint("<title>The app</title><body><div id=app></div><script>load()</script>") is None


def test_a_word_of_the_path_that_stands_alone_is_kept() -> None:
    """A menu says "news" whatever was asked for: two missing pages are the same whether or not their path says so."""
    menu = "<p>Sorry, no {} here. News, sports, weather</p>"
    paths = ("/news/a-lost-story.html", "/3f9a", "/sports/scores_of_today")
    assert len({fingerprint(menu.format(path), path) for path in paths}) == 1
    whole = {fingerprint(menu.format(f"https://a.example{path}"), path) for path in paths}
    assert len(whole) == 1
    stories = "<p>stories of storytellers</p>"
    assert fingerprint(stories, "/a/story") == fingerprint(stories)


def planned() -> Sweep:
    plan = plan_sweep(Links(), night=date(2026, 3, 1), refresh_id="r", now=lambda: NOW)
    return replace(plan, user_agent="x")


def due(asked_as: str = "page") -> DueUrl:
    return DueUrl("00000000-0000-0000-0000-000000000000", "http://a.example/x", "a.example", asked_as)


@pytest.mark.parametrize(
    ("answer", "act"),
    [
        (Answer(200, body=b"x"), Act.ALIVE),
        (Answer(206, body=b"x"), Act.ALIVE),
        (Answer(200), Act.NOT_ALIVE),
        (Answer(204), Act.NOT_ALIVE),
        (Answer(200, {"cf-mitigated": "challenge"}, b"x"), Act.NOT_ALIVE),
        (Answer(404), Act.NOT_ALIVE),
        (Answer(503), Act.AGAIN),
        (Answer(429, {"retry-after": "30"}), Act.AGAIN),
        (Answer(429, {"retry-after": "61"}), Act.SET_ASIDE),
        (Answer(416), Act.AGAIN_WHOLE),
        (Answer(error=ErrorClass.CONNECTION_RESET), Act.AGAIN),
        (Answer(error=ErrorClass.TLS_EXPIRED), Act.NOT_ALIVE),
        (Answer(304), Act.NOT_ALIVE),
        (Answer(301, {"location": "/y"}), Act.FOLLOW),
        (Answer(301, {"location": "/x#top"}), Act.NOT_ALIVE),
        (Answer(301, {"location": "http://a.example\\@b.example/"}), Act.NOT_ALIVE),
        (Answer(301), Act.NOT_ALIVE),
    ],
)
def test_what_comes_next_on_a_page(answer: Answer, act: Act) -> None:
    assert next_step(first_visit(due()), answer, planned(), NOW).act is act


@pytest.mark.parametrize(
    "answer", [Answer(404), Answer(500), Answer(error=ErrorClass.READ_TIMEOUT), Answer(200, {"content-length": "0"})]
)
def test_a_head_failure_is_never_a_verdict(answer: Answer) -> None:
    assert next_step(first_visit(due("file")), answer, planned(), NOW).act is Act.ASK_WITH_GET


def test_a_retry_waits_twice_as_long_each_time_and_no_less_than_asked() -> None:
    visit, plan = first_visit(due()), planned()
    delays = []
    for visit.retries in (0, 1):
        delays.append(next_step(visit, Answer(503), plan, NOW).delay)
    assert delays == [1.0, 2.0]
    visit.retries = 0
    assert next_step(visit, Answer(503, {"retry-after": "20"}), plan, NOW).delay == 20
    visit.retries = 2
    assert next_step(visit, Answer(503), plan, NOW).act is Act.NOT_ALIVE


def test_a_date_is_measured_by_the_server_s_clock_or_else_by_the_refresh_s() -> None:
    later = NOW + timedelta(seconds=10)
    waits = {"retry-after": "Sun, 01 Mar 2026 02:00:30 GMT"}
    assert Answer(503, waits).retry_after(later) == 20
    assert Answer(503, waits | {"date": "Sun, 01 Mar 2026 01:59:30 GMT"}).retry_after(later) == 60


def certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (requests.exceptions.SSLError(urllib3.exceptions.SSLError(certificate_error(10))), "tls_expired"),
        (requests.exceptions.SSLError(urllib3.exceptions.SSLError(certificate_error(62))), "tls_wrong_host"),
        (requests.exceptions.SSLError(urllib3.exceptions.SSLError(ssl.SSLError(1, "alert"))), "tls_handshake"),
        (
            requests.ConnectionError(
                urllib3.exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("closed"))
            ),
            "empty_reply",
        ),
        (
            requests.ConnectionError(urllib3.exceptions.ProtocolError("aborted", ConnectionResetError(104, "reset"))),
            "connection_reset",
        ),
        (http.client.LineTooLong("header line"), "too_many_headers"),
        (http.client.HTTPException("got more than 100 headers"), "too_many_headers"),
        (http.client.BadStatusLine("garbage"), "bad_response"),
        (UnicodeDecodeError("ascii", b"\xe9", 0, 1, "ordinal not in range"), "bad_response"),
        (requests.exceptions.ReadTimeout("slow"), "read_timeout"),
    ],
)
def test_the_second_client_s_errors_have_the_words_of_the_first(error: Exception, word: str) -> None:
    assert classify(error) == word


def test_a_page_of_rubbish_is_read_without_an_error() -> None:
    chance = random.Random(7)
    pieces = [
        "<",
        ">",
        "<!",
        "<![",
        "]>",
        "<title",
        "</title",
        "<!--",
        "--",
        "&#x;",
        "&#99999999;",
        "<svg>",
        "x",
        '"',
        "=",
    ]
    for _ in range(2_000):
        body = "<title>" + "".join(chance.choice(pieces) for _ in range(30))
        assert read_page(body.encode(), HTML, "http://a.example/") is not None


@pytest.mark.parametrize(
    "page",
    [
        "<title>Page 12</title><p>Read <b>the</b> news of 2024, snake_case and w0rds.</p>",
        f"<p>short {'x' * 24} {'x' * 25} {'y' * 400}</p>",
        "<p>news/hello HELLO Hello-World &amp; a\tb\x0bc\x1cd</p><script>no()</script><!-- nor this -->",
        "<p>12 34</p>",
        "",
    ],
)
def test_a_page_in_ascii_has_the_fingerprint_that_the_rule_for_all_pages_gives(page: str) -> None:
    """A joiner, which is no word, keeps the second page from the shorter way of plain ASCII."""
    url = "http://a.example/news/hello"
    plain, joined = (read_page(f"<p>{text}".encode(), HTML, url) for text in (page, f"{page}<i>&#8205;</i>"))
    assert plain is not None
    assert joined is not None
    assert plain.fingerprint == joined.fingerprint


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<script>'<title>no</title>'</script><title>yes</title>", "yes"),
        ("<!-- <title>no</title> --><title>yes</title>", "yes"),
        ("<!doctype html><html><head><meta charset=utf-8><TITLE lang=en>A &lt;b&gt; &amp;c</TITLE >", "A <b> &c"),
    ],
)
def test_a_title_is_no_text_of_a_script_or_a_comment(html: str, title: str) -> None:
    page = read_page(html.encode(), HTML, "http://a.example/")
    assert page is not None
    assert page.title == title
