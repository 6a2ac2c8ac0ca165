"""Every part of the benchmarks runs, if only in small, and the one table at the end holds what each told."""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench import alone, parts
from bench.__main__ import app
from bench.parts import PARTS, Ran, Size, run_part, table
from bench.targets import Target

SMALL = [part for part in PARTS if part not in ("truth", "links", "dagster")]
"""The first two have tests of their own (test_hostile_web, test_bench_links); Dagster's takes half a minute."""


@pytest.fixture(scope="module")
def one_process() -> Iterator[None]:
    """One process for all figures, where each has a fresh one else: what it costs to start them is not tested."""
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=alone._prepare, initargs=(2,)) as pool,
        pytest.MonkeyPatch.context() as patch,
    ):

        @contextmanager
        def shared(_: int) -> Iterator[ProcessPoolExecutor]:
            yield pool

        patch.setattr(alone, "_process", shared)
        yield


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", SMALL)
def test_a_part_runs_and_tells_its_targets(part: str, tmp_path: Path, one_process: None) -> None:
    ran = CliRunner().invoke(app, [part, *PARTS[part][Size.tiny].split(), "--save", "--folder", str(tmp_path)])
    assert ran.exit_code == 0, ran.output[-2_000:]
    [file] = tmp_path.iterdir()
    kept = json.loads(file.read_text("utf-8"))
    assert kept["machine"]["cores"] == os.cpu_count()
    assert kept["targets"]
    assert kept["figures"]
    for target in kept["targets"]:
        assert target["what"] in ran.output


def test_a_part_in_a_process_of_its_own_ends_and_leaves_its_targets(tmp_path: Path) -> None:
    ran = run_part("coverage", Size.tiny, tmp_path)
    assert not ran.failed
    assert ran.targets[0].beside


def test_a_part_that_fails_is_a_row_and_no_lost_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.PARTS, "intake", {Size.tiny: "--articles 0"})
    ran = [
        run_part("intake", Size.tiny, tmp_path),
        Ran("coverage", (Target("tables", 1.2, "at most", 1.5, "DuckDB"), Target("forms", 4, "at most", 3))),
    ]
    printed = "\n".join(table(ran))
    assert "intake\n  NOT RUN: ended with exit code 2\n" in printed
    assert re.search(r"tables +1\.20 +at most 1\.5 +reached +beside DuckDB\n", printed)
    assert re.search(r"forms +4\.00 +at most 3 +NOT REACHED\n", printed)
    assert printed.endswith("2 targets: 1 reached, 1 not; 1 parts did not run")
