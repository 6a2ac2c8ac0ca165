"""The table of the small web: what may be written, what is assumed, what is refused and how that is told."""

from pathlib import Path

import dns.message
import dns.rcode
import dns.rdatatype
import pytest

from pipeline.errors import RehearsalError
from pipeline.rehearsal import Answer, Connect, Dns, Expectation, Fault, Host, Tls, Web, load_web
from pipeline.rehearsal.names import answer_query
from pipeline.rehearsal.pages import Reply, reply_to

HOST = "www.harbor-post.example"
NAMES = {"a.test": Dns.OK, "gone.test": Dns.NXDOMAIN, "sick.test": Dns.SERVFAIL}


def table(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "web.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def said(answer: Answer, path: str = "/news/fish-return.html", asked_range: str | None = None) -> Reply:
    return reply_to(answer, HOST, path, asked_range)


def test_every_key_of_the_format_is_read(tmp_path: Path) -> None:
    web = load_web(
        table(
            tmp_path,
            """
hosts:
  www.harbor-post.example:
    dns: ok
    connect: stalled
    tls: none
    expect: unreachable
    paths:
      /one: {status: 200, title: A, body: "<p>b</p>", type: text/html, headers: {Retry-After: 3}, delay: 0.3,
             head: {status: 405}, expect: {verdict: alive, signals: [a], dead: false}}
      "/a?b=1": {status: 301, location: "https://www.harbor-post.example/new"}
      /flaky: {sequence: [{status: 503}, {fault: drip}], expect: alive}
      /dot.png: {type: image/png, body_base64: "aGk="}
    otherwise: {status: 200}
""",
        )
    )

    host = web.hosts[HOST]
    assert (host.dns, host.connect, host.tls, host.expect) == (
        Dns.OK,
        Connect.STALLED,
        Tls.NONE,
        Expectation(verdict="unreachable"),
    )
    one = host.paths["/one"]
    assert (one.title, one.headers, one.delay) == ("A", {"Retry-After": "3"}, 0.3)
    assert one.expect == Expectation(verdict="alive", signals=("a",), dead=False)
    assert one.head == Answer(status=405)
    assert host.paths["/a?b=1"].location == "https://www.harbor-post.example/new"
    assert [part.fault for part in host.paths["/flaky"].sequence] == [None, Fault.DRIP]
    assert host.paths["/dot.png"].body_base64 == b"hi"
    assert host.otherwise == Answer(status=200)


def test_a_host_with_nothing_said_is_well_and_answers_404(tmp_path: Path) -> None:
    host = load_web(table(tmp_path, "hosts:\n  a.test:\n")).hosts["a.test"]

    assert host == Host()
    assert host.answer_to("https", "/anything") == Answer(status=404)


def test_a_path_with_nothing_said_answers_200(tmp_path: Path) -> None:
    web = load_web(table(tmp_path, "hosts: {a.test: {paths: {/page: }}}"))

    assert web.hosts["a.test"].answer_to("http", "/page") == Answer(status=200)


def test_a_query_is_part_of_the_path() -> None:
    host = Host(paths={"/a?b=1": Answer(status=410)})

    assert host.answer_to("https", "/a?b=1").status == 410
    assert host.answer_to("https", "/a").status == 404


def test_an_answer_for_one_scheme_goes_before_the_answer_for_both() -> None:
    host = Host(paths={"/a": Answer(), "http:/a": Answer(status=301, location=f"https://{HOST}/a")})

    assert host.answer_to("http", "/a").status == 301
    assert host.answer_to("https", "/a").status == 200


def test_a_path_in_another_script_is_matched_as_clients_send_it() -> None:
    assert Host(paths={"/café au lait": Answer()}).answer_to("http", "/caf%C3%A9%20au%20lait").status == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", ["holds no table", "hosts:"]),
        ("hosts: {}", ["hosts", "at least 1"]),
        ("hosts: [", ["not valid YAML"]),
        ("hosts: {www.harbor-post.com: {}}", ["host www.harbor-post.com", "reserved name"]),
        ("hosts: {example: {}}", ["host example", "reserved name"]),
        ("hosts: {Www.a.test: {}}", ["host Www.a.test", "lower-case"]),
        ("hosts: {café.test: {}}", ["host café.test", "xn--"]),
        ("hosts: {'a.test:80': {}}", ["host a.test:80", "reserved name"]),
        ("hosts: {a.test: {tls: wrong}}", ["host a.test", "tls", "'wrong_host'"]),
        ("hosts: {a.test: {dns: gone}}", ["host a.test", "dns", "'nxdomain'"]),
        ("hosts: {a.test: {addresses: [10.0.0.1]}}", ["host a.test", "addresses", "127.0.0.0/8"]),
        ("hosts: {a.test: {port: 1}}", ["host a.test", "port", "unknown key"]),
        ("hosts: {a.test: {paths: {news: {}}}}", ["host a.test", "path news", "starts with /"]),
        ("hosts: {a.test: {paths: {/a: {stauts: 1}}}}", ["host a.test", "path /a", "stauts", "unknown key"]),
        ("hosts: {a.test: {paths: {/a: {status: 42}}}}", ["path /a", "status", "200"]),
        ("hosts: {a.test: {paths: {/a: {fault: fire}}}}", ["path /a", "fault", "'drip'"]),
        ("hosts: {a.test: {paths: {/a: {body: x, body_base64: eA==}}}}", ["path /a", "body_base64", "keep one"]),
        ("hosts: {a.test: {paths: {/a: {body_base64: 'no!'}}}}", ["path /a", "body_base64", "base64"]),
        ('hosts: {a.test: {paths: {/a: {location: "/b\\r\\nX: y"}}}}', ["path /a", "location", "line break"]),
        ("hosts: {a.test: {paths: {/a: {status: 503, sequence: [{}]}}}}", ["path /a", "status", "sequence"]),
        ("hosts: {a.test: {paths: {/a: {sequence: [{sequence: [{}]}]}}}}", ["path /a", "flat list"]),
        ("hosts: {a.test: {paths: {/a: {head: {head: {}}}}}}", ["path /a", "head"]),
        ("hosts: {a.test: {otherwise: {delay: -1}}}", ["host a.test", "otherwise.delay"]),
        ("hosts:\n  a.test: {}\n  a.test: {}", ["line 3", "'a.test' stands here twice"]),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: list[str]) -> None:
    file = table(tmp_path, text)

    with pytest.raises(RehearsalError) as error:
        load_web(file)

    for part in [str(file), *told]:
        assert part in str(error.value)


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match=r"nowhere\.yaml: cannot be read"):
        load_web(tmp_path / "nowhere.yaml")


def test_a_page_nobody_wrote_has_a_title_from_its_path_and_a_fair_length() -> None:
    page = said(Answer()).body

    assert b"<title>Fish return</title>" in page
    assert len(page) >= 600


def test_pages_nobody_wrote_differ_by_path_and_by_host_and_stay_the_same() -> None:
    pages = {reply_to(Answer(), host, path, None).body for host in ("a.test", "b.test") for path in ("/1", "/2")}

    assert len(pages) == 4
    assert said(Answer()) == said(Answer())


def test_a_body_with_a_title_becomes_a_page_and_without_one_stays_as_it_is() -> None:
    page = said(Answer(title="Tom & Jerry", body="<p>hello</p>")).body

    assert b"<title>Tom &amp; Jerry</title>" in page
    assert b"<p>hello</p>" in page
    assert said(Answer(body="<p>hello</p>")).body == b"<p>hello</p>"
    assert said(Answer(body="")).body == b""


def test_an_image_without_a_body_is_a_png() -> None:
    assert said(Answer(type="image/png")).body.startswith(b"\x89PNG\r\n\x1a\n")


def test_a_type_that_is_no_page_has_no_body_of_its_own() -> None:
    assert said(Answer(type="application/pdf")).body == b""


@pytest.mark.parametrize(
    ("asked", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=0-16383", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-20", 416, b"", "bytes */10"),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_a_range_is_honoured(asked: str, status: int, body: bytes, content_range: str | None) -> None:
    reply = said(Answer(body="0123456789"), asked_range=asked)

    assert (reply.status, reply.body, dict(reply.headers).get("Content-Range")) == (status, body, content_range)
    assert dict(reply.headers)["Content-Length"] == str(len(body))


def test_only_a_200_with_a_body_honours_a_range() -> None:
    assert said(Answer(status=203, body="0123456789"), asked_range="bytes=0-3").status == 203
    assert said(Answer(status=404), asked_range="bytes=0-3").status == 404
    assert said(Answer(body=""), asked_range="bytes=0-3").status == 200


def test_a_header_of_the_table_takes_the_place_of_the_usual_one() -> None:
    headers = said(Answer(body="x", headers={"content-type": "text/odd", "Content-Length": "9"})).headers

    assert headers == (("content-type", "text/odd"), ("Content-Length", "9"))


def test_the_table_can_be_written_in_python() -> None:
    assert Web(hosts={"a.test": Host(paths={"/a": Answer(type="image/png")})}).hosts["a.test"].tls is Tls.VALID


@pytest.mark.parametrize(
    ("name", "kind", "rcode", "addresses"),
    [
        ("a.test", "A", dns.rcode.NOERROR, ["127.0.0.1"]),
        ("A.tEsT", "A", dns.rcode.NOERROR, ["127.0.0.1"]),
        ("a.test", "AAAA", dns.rcode.NOERROR, []),
        ("gone.test", "A", dns.rcode.NXDOMAIN, []),
        ("sick.test", "A", dns.rcode.SERVFAIL, []),
        ("stranger.test", "A", dns.rcode.NXDOMAIN, []),
    ],
)
def test_names_are_answered_as_the_table_says(name: str, kind: str, rcode: int, addresses: list[str]) -> None:
    query = dns.message.make_query(name, kind, use_edns=True)

    wire = answer_query(query.to_wire(), NAMES, lambda _: "127.0.0.1")

    assert wire is not None
    answer = dns.message.from_wire(wire)
    assert query.is_response(answer)
    assert answer.rcode() == rcode
    assert [record.to_text() for records in answer.answer for record in records] == addresses


def test_a_name_that_times_out_and_a_packet_that_is_no_query_get_no_answer() -> None:
    names = {"slow.test": Dns.TIMEOUT}

    assert answer_query(dns.message.make_query("slow.test", "A").to_wire(), names, str) is None
    assert answer_query(b"not a query", names, str) is None
