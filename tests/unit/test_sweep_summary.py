"""What a person is told of a sweep: verdicts, the errors that settled URLs, the slowest hosts, on a terminal a bar."""

import io

import duckdb
import pytest
from rich.console import Console

import pipeline.terminal
from pipeline.terminal import progress_bar
from pipeline.warehouse.sweep_summary import SUMMARY, SweepSummary, summarise

CHECKS = """
create schema links;
create table links.checks as
select * from (values
    -- alive at the second attempt; gone for both clients; one name, two URLs; put off
    ('r2', '1', 'request', 'libcurl', 'http://slow.example/a', null, 900, 1),
    ('r2', '1', 'request', 'libcurl', 'http://slow.example/a', null, 1100, 2),
    ('r2', '2', 'request', 'libcurl', 'https://me@fast.example:8443/b', 'connection_reset', 10, 1),
    ('r2', '2', 'request', 'requests', 'https://me@fast.example:8443/b', null, 30, 2),
    ('r2', '3', 'request', 'libcurl', 'http://[::1]/c', 'tls_expired', 50, 1),
    ('r2', '3', 'request', 'requests', 'http://[::1]/c', 'connect_refused', 50, 2),
    ('r2', '4', 'request', null, 'http://none.example/', 'dns_nxdomain', null, 1),
    ('r2', '5', 'shared', null, 'http://none.example/x', 'dns_nxdomain', null, 1),
    ('r2', '6', 'postponed', null, 'http://later.example/', 'dns_timeout', null, 1),
    ('r1', '7', 'request', 'libcurl', 'http://earlier.example/', 'read_timeout', 5000, 1)
) as rows (refresh_id, url_id, kind, client, request_url, error_class, total_ms, second);
alter table links.checks add column night date default date '2026-03-02';
alter table links.checks add column started_at timestamp;
update links.checks set started_at = timestamp '2026-03-02' + second * interval 1 second;
create table links.verdicts as
select * from (values
    ('1', date '2026-03-02', 'alive'), ('2', date '2026-03-02', 'gone'), ('3', date '2026-03-02', 'unreachable'),
    ('4', date '2026-03-02', 'unreachable'), ('5', date '2026-03-02', 'unreachable'),
    ('6', date '2026-03-02', 'postponed'), ('1', date '2026-03-01', 'gone')
) as rows (url_id, night, verdict);
"""


def test_a_sweep_is_told_by_verdict_by_error_and_by_slowest_host() -> None:
    with duckdb.connect() as con:
        con.execute(CHECKS)
        summary = summarise(con.execute(SUMMARY, {"refresh_id": "r2"}).fetchall())
    assert summary.verdicts == {"unreachable": 3, "alive": 1, "gone": 1, "postponed": 1}
    assert summary.errors == {"dns_nxdomain": 2, "connect_refused": 1}
    assert summary.slowest == {"slow.example": (2, 1000.0), "[::1]": (2, 50.0), "fast.example": (2, 20.0)}
    assert summary.lines() == [
        "verdicts   3 unreachable, 1 alive, 1 gone, 1 postponed",
        "errors     2 dns_nxdomain, 1 connect_refused",
        "slowest    slow.example 1,000 ms, [::1] 50 ms, fast.example 20 ms",
    ]


def test_what_did_not_happen_is_not_told() -> None:
    assert SweepSummary({"alive": 2}, {}, {}).lines() == ["verdicts   2 alive"]


def test_a_bar_is_drawn_on_a_terminal_and_not_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    for is_terminal in (True, False):
        drawn = io.StringIO()
        monkeypatch.setattr(pipeline.terminal, "TERMINAL", Console(file=drawn, force_terminal=is_terminal, width=100))
        with progress_bar("asking links") as progress:
            assert (progress is not None) is is_terminal
            if progress is not None:
                progress(3, 12)
        assert ("asking links" in drawn.getvalue()) is is_terminal
        assert ("3/12" in drawn.getvalue()) is is_terminal


def test_a_bar_and_a_status_share_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in `newsledger refresh`, whose status stands while links are asked."""
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=100)
    monkeypatch.setattr(pipeline.terminal, "TERMINAL", console)
    with console.status("refreshing"), progress_bar("asking links"):
        pass
    assert "refreshing" in drawn.getvalue()
    assert "asking links" in drawn.getvalue()
