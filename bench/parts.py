"""Every part of the benchmarks, one after the other, each in a process of its own, and one table of all their targets.

A part that fails, or does not end, is a row that says so.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from bench.machine import machine
from bench.targets import Target, target_lines
from bench.telling import where

ROOT = Path(__file__).resolve().parents[1]
_HOURS = 6
"""What no part takes at any size."""


class Size(StrEnum):
    """How large the loads are: `tiny` shows only that all parts run."""

    tiny = "tiny"
    usual = "usual"
    large = "large"


PARTS: Mapping[str, Mapping[Size, str]] = {
    "intake": {
        Size.tiny: "--articles 60 --runs 1 --peer 20",
        Size.usual: "",
        Size.large: "--articles 100000",
    },
    "growth": {
        Size.tiny: "--articles 30 --articles 60",
        Size.usual: "",
        Size.large: "--articles 10000 --articles 100000 --articles 1000000 --related 6",
    },
    "executors": {
        Size.tiny: "--articles 2200 --related 0 --runs 1",
        Size.usual: "",
        Size.large: "--articles 100000",
    },
    "coverage": {
        Size.tiny: "--articles 30 --runs 1",
        Size.usual: "",
        Size.large: "",
    },
    "warehouse": {
        Size.tiny: "--articles 30 --runs 1",
        Size.usual: "",
        Size.large: "--articles 77000 --articles 770000",
    },
    "nights": {Size.tiny: "--links 1000 --nights 31", Size.usual: "", Size.large: ""},
    "links": {Size.tiny: "--size 0.003 --runs 1", Size.usual: "--size 0.2 --runs 3", Size.large: ""},
    "truth": {Size.tiny: "", Size.usual: "", Size.large: ""},
    "dagster": {Size.tiny: "--runs 1", Size.usual: "", Size.large: ""},
}
"""The arguments of each part by the size."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a part: its targets, or why there are none."""

    part: str
    targets: tuple[Target, ...] = ()
    failed: str = ""


def run_all(size: Size, keep: Path | None) -> int:
    """Run every part, print the one table, keep each part's file in `keep`; how many parts did not run."""
    with TemporaryDirectory(prefix="newsledger-bench-told-") as folder:
        ran = [run_part(part, size, Path(folder) / part) for part in PARTS]
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            for file in Path(folder).glob("*/*.json"):
                copy(file, keep)
    print("\n".join(table(ran)), flush=True)
    return sum(bool(each.failed) for each in ran)


def run_part(part: str, size: Size, folder: Path) -> Ran:
    """Run one part, which prints as it goes and tells in a file of `folder`."""
    print(f"\n== {part} ==", flush=True)
    command = [sys.executable, "-m", "bench", part, *PARTS[part][size].split(), "--save", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            code = process.wait(_HOURS * 3600)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started
            raise
    files = [*folder.glob("*.json")]
    if code:
        return Ran(part, failed=f"ended with exit code {code}")
    if not files:
        return Ran(part, failed="cannot be measured on this machine; see above")
    names = {field.name for field in fields(Target)}
    kept = json.loads(files[0].read_text("utf-8"))["targets"]
    return Ran(part, tuple(Target(**{name: each[name] for name in names & each.keys()}) for each in kept))


def table(ran: list[Ran]) -> Iterator[str]:
    """All targets of all parts."""
    yield f"\n{where(machine())}"
    targets = [target for each in ran for target in each.targets]
    reached = sum(target.is_reached for target in targets)
    failed = sum(bool(each.failed) for each in ran)
    for each in ran:
        yield f"\n{each.part}"
        if each.failed:
            yield f"  NOT RUN: {each.failed}"
        else:
            yield from target_lines(each.targets)
    yield f"\n{len(targets)} targets: {reached} reached, {len(targets) - reached} not; {failed} parts did not run"
