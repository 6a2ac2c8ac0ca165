"""An archive of any size for the benchmarks, written by several processes.

Stories are written in volumes, each by one process from a seed of its own into a folder of its own under `_news`, as
large archives are kept: no folder holds a million files. The same bytes for the same size, however many processes.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from shutil import rmtree

import pyarrow as pa

from bench.site import write_site

VOLUME_STORIES = 5_000


@dataclass(frozen=True, slots=True)
class Archive:
    """What was written, and so what must be found: files, stories, bytes of these, mentions, and distinct articles."""

    folder: Path
    files: int
    stories: int
    story_bytes: int
    mentions: int
    articles: int
    writing_seconds: float


@dataclass(frozen=True, slots=True)
class _Volume:
    others: int
    stories: int
    story_bytes: int
    mentions: int
    articles: bytes
    """64 bits of a hash of each distinct identity: what many processes can tell each other of a million."""


def write_archive(folder: Path, stories: int, related: int) -> Archive:
    """Write so many stories of so many related items below `folder`, with all the processors there are."""
    start = time.perf_counter()
    (folder / "_news").mkdir(parents=True)
    sizes = [min(VOLUME_STORIES, stories - done) for done in range(0, stories, VOLUME_STORIES)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        volumes = list(pool.map(partial(_write_volume, folder, related), range(1, len(sizes) + 1), sizes))
    return Archive(
        folder,
        sum(volume.stories for volume in volumes) + volumes[0].others,
        sum(volume.stories for volume in volumes),
        sum(volume.story_bytes for volume in volumes),
        sum(volume.mentions for volume in volumes),
        _distinct([volume.articles for volume in volumes]),
        time.perf_counter() - start,
    )


def _write_volume(folder: Path, related: int, number: int, stories: int) -> _Volume:
    part = folder / f".volume-{number}"
    truth = write_site(part, stories=stories, seed=number, related=related)
    (part / "_news").rename(folder / "_news" / f"{number:04}")
    if number == 1:  # one site has one set of topics and organizations
        for entry in list(part.iterdir()):
            entry.rename(folder / entry.name)
    rmtree(part)
    identities = {identity for listed in truth.listings.values() for identity in listed}
    hashes = b"".join(blake2b(identity.encode(), digest_size=8).digest() for identity in identities)
    return _Volume(truth.files - truth.stories, truth.stories, truth.story_bytes, truth.mentions, hashes)


def _distinct(hashes: Sequence[bytes]) -> int:
    joined = b"".join(hashes)
    return len(pa.Array.from_buffers(pa.int64(), len(joined) // 8, [None, pa.py_buffer(joined)]).unique())
