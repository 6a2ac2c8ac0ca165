"""The same files to relational tables by others: through dlt, as its documentation says to, and by a plain script of
PyYAML and pandas (`bench/pandas_script.py`).

`python -m bench.peer FOLDER SCRATCH` runs dlt and prints JSON. A process of its own, with all of dlt's state in SCRATCH
and its telemetry off before it is imported.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from bench.floor import parse_file

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = "TEST_DBT"
"""The environment variable that names the `dbt` beside which Python has pandas; see tests/dbt."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Seconds to read and parse the files and those that are counted: dlt is given the parsed files for free, the
    script is not. What its tables hold."""

    name: str
    parse_seconds: float
    seconds: float
    stories: int
    related: int


def measure_peers(folder: Path, scratch: Path) -> tuple[Peer, ...]:
    """Each on the fenced files below `folder`, in a process of its own: dlt, and the script where pandas is."""
    scratch.mkdir(parents=True, exist_ok=True)
    own = {"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(scratch), "HOME": str(scratch)}
    peers = [_peer([sys.executable, "-m", "bench.peer", str(folder), str(scratch)], scratch, own)]
    if named := os.environ.get(ENVIRONMENT):
        python = Path(named).absolute().parent / "python"
        script = ROOT / "bench" / "pandas_script.py"
        peers.append(_peer([str(python), str(script), str(folder), str(scratch / "pandas.duckdb")], scratch, {}))
    return tuple(peers)


def _peer(command: Sequence[str], scratch: Path, own: Mapping[str, str]) -> Peer:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEWSLEDGER_", "DLT_"))}
    done = subprocess.run(
        command,
        env={**kept, **own, "PYTHONPATH": str(ROOT)},
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
            f"{peer.name} loaded {peer.stories} stories and {peer.related} related items, not {stories}, {related}"
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
    return Peer(f"dlt {version('dlt')}", parsed - start, end - parsed, *counts)


if __name__ == "__main__":
    print(json.dumps(asdict(_run(Path(sys.argv[1]), Path(sys.argv[2])))))
