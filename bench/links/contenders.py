"""Who asks: the sweep, lychee and linkchecker, each in a process of its own, on the same URLs.

All ask with GET and read no robots.txt. The sweep writes its observations to a log, as it does at night; lychee writes
its JSON. A peer that takes longer than it is given is stopped, and has no result.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.alone import peak_of, watched
from bench.links.loads import Load
from bench.links.serving import NAMES_ADDRESS, Serving, raise_open_files
from bench.links.web import Seen
from pipeline.executors import open_workers
from pipeline.lake.logs import Logs
from pipeline.links import DueUrl, plan_sweep, sweep_to_log
from pipeline.model.ids import content_id
from pipeline.model.urls import url_forms
from pipeline.settings import Executor, Links

_BIN = Path(sys.executable).parent
_SAMPLE_SECONDS = 0.02
_GOOD = pa.array([200, 206], pa.int32())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one contender took on one load. `good` are the URLs that it found alive; `seen` is what the web saw."""

    who: str
    urls: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    good: int
    finished: bool
    seen: Seen

    @property
    def rate(self) -> float:
        return self.urls / self.seconds


def ask_with_sweep(load: Load, web: Serving, scratch: Path) -> Outcome:
    """The sweep as the nightly refresh runs it: second opinion, fingerprints and the log included."""
    web.seen()
    made = watched(2, _sweep, load, (f"{NAMES_ADDRESS}:{web.names_port}",), web.ca_file, scratch)
    seconds, cpu, checked, good = made.result
    if checked != len(load.urls) and not load.names:
        raise ValueError(f"{load.name}: the sweep settled {checked} of {len(load.urls)} URLs")
    return Outcome("newsledger", len(load.urls), seconds, cpu, made.total, good, True, web.seen())


def _sweep(load: Load, nameservers: tuple[str, ...], ca_file: Path, scratch: Path) -> tuple[float, float, int, int]:
    raise_open_files()
    links = Links(
        pace_seconds=load.gap,
        allow_fast=True,
        connections=load.connections,
        concurrency=load.concurrency,
        timeout_seconds=load.timeout,
        nightly_budget=len(load.urls),
        domain_budget=len(load.urls),
        nameservers=nameservers,
        allow_addresses=("127.0.0.0/8",),
        ca_file=ca_file,
    )
    began = datetime.now(UTC)
    plan = plan_sweep(links, night=began.date(), refresh_id="bench", now=lambda: began)
    due = []
    for url in load.urls:
        forms = url_forms(url)
        due.append(DueUrl(content_id("url", forms.fetch_url), forms.fetch_url, forms.registrable_domain))
    log = Logs.of(scratch / "lake").link_checks
    start, cpu = time.perf_counter(), _cpu_seconds()
    with open_workers(Executor()) as workers:
        result = sweep_to_log(due, plan, log, workers)
    seconds, cpu_seconds = time.perf_counter() - start, _cpu_seconds() - cpu
    statuses = pa.concat_tables([pq.read_table(file, columns=["http_status"]) for file in log.files()])["http_status"]
    shutil.rmtree(scratch / "lake")
    return seconds, cpu_seconds, result.checked, pc.sum(pc.is_in(statuses, _GOOD)).as_py() or 0


def _cpu_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def ask_with_lychee(load: Load, web: Serving, scratch: Path, limit: float) -> Outcome | None:
    """lychee with the same time-outs, retries, connections and gaps; None where the names of the load cannot be given
    to it. It reads the system's list of name servers, so it runs where that list is another file."""
    if load.names and not may_name_servers(web):
        return None
    listed = scratch / "urls.txt"
    listed.write_text("\n".join(load.urls) + "\n", "utf-8")
    options = {
        "--format": "json",
        "--mode": "plain",
        "--method": "get",
        "--max-concurrency": load.concurrency,
        "--host-concurrency": load.connections,
        "--host-request-interval": f"{load.gap * 1000:.0f}ms",
        "--timeout": f"{load.timeout:.0f}",
        "--max-retries": 2,
        "--retry-wait-time": 1,
        "--output": scratch / "lychee.json",
    }
    command = [str(_BIN / "lychee"), "--no-progress", *(str(part) for pair in options.items() for part in pair)]
    command.append(str(listed))
    if load.names:
        command = _with_name_server(scratch, command)
    web.seen()
    ran = _run(command, limit, {"SSL_CERT_FILE": str(web.ca_file)})
    seen = web.seen()
    good = json.loads((scratch / "lychee.json").read_text("utf-8"))["successful"] if ran.finished else 0
    return Outcome("lychee", len(load.urls), ran.seconds, ran.cpu_seconds, ran.peak, good, ran.finished, seen)


def ask_with_linkchecker(load: Load, web: Serving, scratch: Path, limit: float) -> Outcome:
    """linkchecker without recursion, with as many threads as it is usually given."""
    listed = scratch / "urls.txt"
    listed.write_text("\n".join(load.urls) + "\n", "utf-8")
    command = [str(_BIN / "linkchecker"), "--stdin", "--no-status", "--no-robots", "--no-warnings"]
    command += ["--recursion-level", "0", "--threads", "100", "--check-extern", "--timeout", str(int(load.timeout))]
    web.seen()
    with listed.open("rb") as urls:
        ran = _run(command, limit, {"HOME": str(scratch)}, urls.fileno())
    seen = web.seen()
    return Outcome(
        "linkchecker", len(load.urls), ran.seconds, ran.cpu_seconds, ran.peak, seen.requests, ran.finished, seen
    )


def may_name_servers(web: Serving) -> bool:
    """Whether a program can be given this web's name server: it listens at port 53, and file systems can be private."""
    return (
        web.names_port == 53
        and subprocess.run(
            ["unshare", "--map-root-user", "--mount", "true"], capture_output=True, check=False
        ).returncode
        == 0
    )


def _with_name_server(scratch: Path, command: Sequence[str]) -> list[str]:
    listed = scratch / "resolv.conf"
    listed.write_text(f"nameserver {NAMES_ADDRESS}\noptions timeout:2 attempts:2\n", "utf-8")
    script = f'mount --bind "{listed}" /etc/resolv.conf && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *command]


@dataclass(frozen=True, slots=True)
class _Ran:
    seconds: float
    cpu_seconds: float
    peak: int
    finished: bool


def _run(command: Sequence[str], limit: float, environment: dict[str, str], stdin: int = subprocess.DEVNULL) -> _Ran:
    """Run a peer to its end, or to the limit."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
        preexec_fn=raise_open_files,
    )
    peak = 0
    while process.poll() is None and time.perf_counter() - start < limit:
        peak = max(peak, peak_of(process.pid))
        time.sleep(_SAMPLE_SECONDS)
    finished = process.poll() is not None
    seconds = time.perf_counter() - start
    process.kill()
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return _Ran(seconds, cpu, peak, finished)
