"""The same files through dlt to relational tables in DuckDB, as its documentation says to: parsed mappings, whose
lists dlt makes into child tables.

`python -m bench.peer FOLDER SCRATCH` prints JSON. A process of its own, with all of dlt's state in SCRATCH and its
telemetry off before it is imported.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.floor import parse_file

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Peer:
    """Seconds to read and parse the files, given to dlt for free, and of its run; what its tables hold."""

    version: str
    parse_seconds: float
    seconds: float
    stories: int
    related: int


def measure_peer(folder: Path, scratch: Path) -> Peer:
    """dlt on the fenced files below `folder`, in a process of its own."""
    scratch.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSLEDGER_", "DLT_"))}
    own = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(scratch), "HOME": str(scratch)}
    done = subprocess.run(
        [sys.executable, "-m", "bench.peer", str(folder), str(scratch)],
        env=kept | own | {"PYTHONPATH": str(ROOT)},
        cwd=scratch,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Peer(**json.loads(done.stdout.splitlines()[-1]))


def check_peer(peer: Peer, stories: int, related: int) -> None:
    """Raises ValueError where its tables do not hold every record."""
    if (peer.stories, peer.related) != (stories, related):
        raise ValueError(
            f"dlt loaded {peer.stories} stories and {peer.related} related items, not {stories}, {related}"
        )


def _run(folder: Path, scratch: Path) -> Peer:
    import dlt
    import duckdb

    files = sorted(folder.rglob("*.md"))
    start = time.perf_counter()
    records = [{"path": str(file.relative_to(folder)), **parse_file(file.read_bytes())} for file in files]
    parsed = time.perf_counter()
    database = scratch / "peer.duckdb"
    pipeline = dlt.pipeline(
        "peer",
        pipelines_dir=str(scratch / "pipelines"),
        destination=dlt.destinations.duckdb(str(database)),
        dataset_name="news",
    )
    pipeline.run(records, table_name="stories")
    end = time.perf_counter()
    with duckdb.connect(database, read_only=True) as connection:
        counts = [
            connection.execute(f"select count(*) from news.{table}").fetchall()[0][0]
            for table in ("stories", "stories__related")
        ]
    return Peer(version("dlt"), parsed - start, end - parsed, *counts)


if __name__ == "__main__":
    print(json.dumps(asdict(_run(Path(sys.argv[1]), Path(sys.argv[2])))))
