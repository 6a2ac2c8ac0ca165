"""The least that the work can cost, part by part, on the same files.

Reading, SHA-256, parsing, Arrow and Parquet are timed apart and summed: no walk, no checks of the files, no fingerprint
of their meaning, no issues, no version ids, no starting of processes. The Arrow part makes the typed columns of the
documents log and nothing else, from the parsed mappings, by Arrow's own conversion in C++. The garbage collector is as
Python has it. Of the pipeline only the schema of the log is imported.
"""

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipeline.model.logs import ITEM

try:
    import yamlrocks
except ImportError:  # Python 3.11
    yamlrocks = None  # type: ignore[assignment,unused-ignore]

PARSER = "yamlrocks" if yamlrocks else "CSafeLoader"
_SHARD_FILES = 500
_COMMIT_FILES = 20_000
"""Files whose rows are compressed and written at once, as the pipeline appends them."""

_STAT = ("path", "size", "mtime_ns", "ctime_ns", "inode")


@dataclass(frozen=True, slots=True)
class Floor:
    """Seconds of one core that each part took over all files, and how many files those were. Parquet is written twice,
    at zstd level 1 and at level 3: a sum counts one of them."""

    files: int
    read: float
    sha256: float
    parse: float
    arrow: float
    parquet_1: float
    parquet_3: float

    def seconds(self, level: int) -> float:
        """The sum of the parts, Parquet at this zstd level."""
        parquet = {1: self.parquet_1, 3: self.parquet_3}[level]
        return self.read + self.sha256 + self.parse + self.arrow + parquet


def floor(folder: Path, scratch: Path, cores: int) -> Floor:
    """Take the fenced files below `folder` to Parquet in `scratch`, in this process or in as many as `cores`."""
    files = sorted(path for path, *_ in _walk(folder) if path.endswith(".md"))
    scratch.mkdir(parents=True, exist_ok=True)
    if cores == 1:
        parts = [_take(files, scratch / "0")]
    else:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            shares = [files[core::cores] for core in range(cores)]
            parts = list(pool.map(_take, shares, [scratch / str(core) for core in range(cores)]))
    total = Floor(*map(sum, zip(*map(astuple, parts), strict=True)))
    written = [pq.read_metadata(file).num_rows for file in scratch.glob("*.parquet")]
    if total.files != len(files) or sum(written) != 2 * len(files):
        raise ValueError(f"{folder}: the floor read {total.files} of {len(files)} files and wrote {sum(written)} rows")
    return total


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Seconds of a bare scandir and stat of every file, and of that, an Arrow table of it and one join."""

    walk: float
    seconds: float


def unchanged_floor(folder: Path) -> Unchanged:
    """Ask what changed of `folder` since a moment ago, with nothing but a walk, a table and a join."""
    remembered = _table(list(_walk(folder)))
    start = time.perf_counter()
    found = list(_walk(folder))
    walked = time.perf_counter()
    changed = _table(found).join(remembered, keys=list(_STAT), join_type="left anti")
    end = time.perf_counter()
    if changed.num_rows:
        raise ValueError(f"{folder}: {changed.num_rows} files changed under the benchmark")
    return Unchanged(walked - start, end - start)


def _walk(folder: Path) -> Iterator[tuple[str, int, int, int, int]]:
    pending = [os.fspath(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    stat = entry.stat()
                    yield entry.path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _table(found: Sequence[tuple[str, int, int, int, int]]) -> pa.Table:
    return pa.table(dict(zip(_STAT, map(pa.array, zip(*found, strict=True)), strict=True)))


def _take(files: Sequence[str], target: Path) -> Floor:
    clock = time.perf_counter
    read = hashed = parsed = arrow = 0.0
    parquet = {1: 0.0, 3: 0.0}
    taken = 0
    pending: list[pa.RecordBatch] = []
    writers: dict[int, pq.ParquetWriter] = {}
    for start in range(0, len(files), _SHARD_FILES):
        shard = files[start : start + _SHARD_FILES]
        mappings, digests = [], []
        for path in shard:
            began = clock()
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  nothing but the reading
                content = file.read()
            has_read = clock()
            digests.append(sha256(content).hexdigest())
            has_hashed = clock()
            mapping = parse_file(content)
            parsed += clock() - has_hashed
            hashed += has_hashed - has_read
            read += has_read - began
            if type(mapping) is dict:
                mappings.append(mapping)
        taken += len(mappings)
        began = clock()
        batch = _batch(shard, digests, mappings)
        del mappings
        arrow += clock() - began
        pending.append(batch)
        if sum(batch.num_rows for batch in pending) >= _COMMIT_FILES or start + _SHARD_FILES >= len(files):
            table = pa.Table.from_batches(pending)
            pending.clear()
            for level in parquet:
                began = clock()
                if level not in writers:
                    file_name = f"{target}-zstd-{level}.parquet"
                    writers[level] = pq.ParquetWriter(
                        file_name, table.schema, compression="zstd", compression_level=level
                    )
                writers[level].write_table(table)
                parquet[level] += clock() - began
    for level, writer in writers.items():
        began = clock()
        writer.close()
        parquet[level] += clock() - began
    return Floor(taken, read, hashed, parsed, arrow, parquet[1], parquet[3])


def parse_file(content: bytes) -> dict[str, object]:
    """The front matter of a fenced file."""
    text = content[content.find(b"\n") + 1 : content.find(b"\n---", 3) + 1]
    mapping: dict[str, object]
    if yamlrocks:
        mapping = yamlrocks.loads(text, option=yamlrocks.OPT_PYYAML_COMPAT)
    else:
        mapping = yaml.load(text, yaml.CSafeLoader)
    return mapping


def _batch(paths: Sequence[str], digests: Sequence[str], mappings: Sequence[dict[str, object]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [
            pa.array(paths, pa.string()),
            pa.array(digests, pa.string()),
            pa.array(mappings, ITEM),
            pa.array([mapping.get("related") for mapping in mappings], pa.list_(ITEM)),
        ],
        names=["path", "sha256", "item", "related"],
    )
