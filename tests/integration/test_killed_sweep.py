"""A sweep killed at any moment loses what was not yet written, and nothing else: run again the same night, it asks at
most one unwritten part anew."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from pyarrow import feather

from bench.links.serving import Serving, host, serving
from pipeline.lake.logs import Logs
from pipeline.settings import load_settings
from pipeline.warehouse import query, read_file
from tests.conftest import ROOT, SEED_SITE
from tests.refreshing import refresh

URLS = 900
FLUSH_ROWS, CONCURRENCY = 60, 8
SWEEP = """
import sys
from dataclasses import replace
from pathlib import Path
import pyarrow.parquet as pq
from bench.links.serving import host
from pipeline.lake.logs import Logs
from pipeline.lake.spool import Spool
from pipeline.links import sweep
from pipeline.settings import Links
from tests.hostile_web.night import due_url, planned

lake, port, urls, flush_rows, concurrency = sys.argv[1], *map(int, sys.argv[2:])
log = Logs.of(Path(lake)).link_checks
spool = Spool(log)
spool.commit()
settled = {url for file in log.files() for url in pq.read_table(file)["url_id"].to_pylist()}
due = [due_url(f"http://{host(number)}:{port}/page/{number}") for number in range(urls)]
links = Links(pace_seconds=1, concurrency=concurrency, allow_addresses=("127.0.0.0/8",))
plan = replace(planned(links), flush_rows=flush_rows)
print("ready", flush=True)
sweep([url for url in due if url.url_id not in settled], plan, spool.append)
spool.commit()
"""
"""The sweep of a night as the asset runs it, in a process that a test may kill. Each URL has a host of its own."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("web")) as running:
        yield running


def start(lake: Path, web: Serving) -> subprocess.Popen[str]:
    figures = map(str, (web.port, URLS, FLUSH_ROWS, CONCURRENCY))
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEP, str(lake), *figures], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("moment", [1, 300, 750])
def test_a_sweep_that_was_killed_asks_at_most_one_part_again(web: Serving, tmp_path: Path, moment: int) -> None:
    web.seen()
    process = start(tmp_path, web)
    asked = 0
    while asked < moment:
        asked += web.seen().requests
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    asked += web.seen().requests
    assert asked < URLS, "it had more to ask"

    process = start(tmp_path, web)
    process.communicate()
    assert process.returncode == 0
    again = asked + web.seen().requests - URLS
    assert 0 <= again <= FLUSH_ROWS + CONCURRENCY

    log = Logs.of(tmp_path).link_checks
    rows = pa.concat_tables([pq.read_table(file) for file in log.files()])
    # Pages 404 and 410 have an odd title, so their hosts are asked for a random path too.
    rows = rows.filter(pc.equal(rows["kind"], "request"))
    assert Counter(rows["request_url"].to_pylist()) == Counter(
        f"http://{host(number)}:{web.port}/page/{number}" for number in range(URLS)
    )
    assert set(rows["http_status"].to_pylist()) == {200}


@pytest.mark.timeout(300)  # a whole refresh and most of another
def test_a_refresh_killed_in_mid_sweep_goes_on_where_it_was(tmp_path: Path) -> None:
    """With the warehouse's own SQL of what is due, on the sample and its rehearsal web."""
    config = tmp_path / "newsledger.yaml"
    links = {"rehearsal": str(ROOT / "seeds" / "web.yaml"), "pace_seconds": 0.2, "timeout_seconds": 0.5}
    source = {"name": "sample", "path": str(SEED_SITE), "include": ["_news/2024-0[56]-*.md"]}
    config.write_text(yaml.safe_dump({"data_dir": "data", "sources": [source], "links": links}), "utf-8")
    command = [sys.executable, "-m", "pipeline.cli", "refresh", "--config", str(config), "--now"]
    spool = tmp_path / "data" / "lake" / "log" / "link_checks" / "_spool"
    process = subprocess.Popen(
        [*command, "2026-03-01T02:00:00Z"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    while len(list(spool.glob("*/*/*.arrow"))) < 2:
        assert process.poll() is None
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    kept = pa.concat_tables([feather.read_table(part, memory_map=False) for part in spool.glob("*/*/*.arrow")])
    settled = set(kept["url_id"].to_pylist())
    assert settled

    settings = load_settings(config)
    links = settings.links.model_copy(update={"pace_seconds": 0.02})
    refresh(settings.model_copy(update={"links": links}), "2026-03-01T02:30:00Z")
    rows = query(
        read_file(tmp_path / "data" / "warehouse.duckdb"),
        "select check_id::varchar as check_id, url_id::varchar as url_id, refresh_id from links.checks",
    ).to_pylist()
    assert {row["check_id"] for row in rows} >= set(kept["check_id"].to_pylist()), "nothing is lost"
    by_refresh: dict[str, set[str]] = {}
    for row in rows:
        by_refresh.setdefault(row["refresh_id"], set()).add(row["url_id"])
    first, second = (by_refresh[refresh_id] for refresh_id in sorted(by_refresh))
    assert first == settled
    assert first.isdisjoint(second), "nothing that was written is asked again"
