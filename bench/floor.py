"""The least that the work can cost: the same files read, hashed and parsed, and nothing made of them.

Imports nothing of the pipeline, so that its processes start as fast as they can.
"""

import os
import time
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import yaml

try:
    import yamlrocks
except ImportError:  # Python 3.11
    yamlrocks = None  # type: ignore[assignment,unused-ignore]

PARSER = "yamlrocks" if yamlrocks else "CSafeLoader"


def floor_seconds(folder: Path, cores: int) -> float:
    """Read, hash and parse the fenced files of `folder`, in this process or in as many as `cores`."""
    files = sorted(entry.path for entry in os.scandir(folder) if entry.name.endswith(".md"))
    start = time.perf_counter()
    if cores == 1:
        parsed = _read_all(files)
    else:
        with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
            parsed = sum(pool.map(_read_all, [files[core::cores] for core in range(cores)]))
    seconds = time.perf_counter() - start
    if parsed != len(files):
        raise ValueError(f"{folder}: {parsed} of {len(files)} files are mappings")
    return seconds


def walk_seconds(folder: Path) -> float:
    """List every file below `folder` with its stat, as any program must that asks what changed."""
    start = time.perf_counter()
    pending = [os.fspath(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                else:
                    entry.stat()
    return time.perf_counter() - start


def _read_all(files: list[str]) -> int:
    """How many of the files hold a mapping."""
    mappings = 0
    for path in files:
        with open(path, "rb") as file:  # noqa: PTH123  nothing but the reading
            content = file.read()
        sha256(content).hexdigest()
        text = content[content.find(b"\n") + 1 : content.find(b"\n---", 3) + 1]
        value = (
            yamlrocks.loads(text, option=yamlrocks.OPT_PYYAML_COMPAT)
            if yamlrocks
            else yaml.load(text, yaml.CSafeLoader)
        )
        mappings += type(value) is dict
    return mappings
