"""Files to Parquet through the pipeline's own stages: find, read, hash, parse and extract into the documents log, then
the log to the coverage tables.

Each figure is taken in a process of its own, which has imported everything before the clock starts; one core means a
process pinned to one. A run whose tables do not hold what was written is an error, not a figure.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, ParamSpec, TypeVar

from bench.floor import floor_seconds, walk_seconds
from bench.site import SiteTruth, write_site
from pipeline.assets.documents import take_in
from pipeline.content import site_bases
from pipeline.content.stat_cache import RACY_NS
from pipeline.coverage import form_providers, forms_version
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Executor, Links, Settings, Source

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pass:
    """One refresh: seconds of its two stages, files parsed, and rows of its tables."""

    documents_seconds: float
    coverage_seconds: float
    files_seen: int
    files_parsed: int
    stories: int
    mentions: int
    articles: int

    @property
    def seconds(self) -> float:
        return self.documents_seconds + self.coverage_seconds


@dataclass(frozen=True, slots=True)
class Run:
    """The floor and the pipeline on one archive with so many cores: `first` reads it all, at `second` nothing has
    changed."""

    cores: int
    floor_seconds: float
    walk_seconds: float
    first: Pass
    second: Pass


@dataclass(frozen=True, slots=True)
class Figures:
    """Every run on one archive."""

    truth: SiteTruth
    writing_seconds: float
    runs: tuple[Run, ...]


def measure(articles: int, related: int, runs: int) -> Figures:
    """Write an archive into a temporary folder and take it in `runs` times with one core and with all."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with TemporaryDirectory(prefix="newsledger-bench-") as folder:
        site = Path(folder) / "site"
        start = time.perf_counter()
        truth = write_site(site, stories=articles, related=related)
        writing_seconds = time.perf_counter() - start
        time.sleep(RACY_NS / 1e9 + 0.1)  # files just written are hashed again by rule, which is not what is measured
        measured = [
            _run(site, Path(folder) / f"data-{number}-{used}", used, truth)
            for number in range(runs)
            for used in dict.fromkeys((1, cores))
        ]
    return Figures(truth, writing_seconds, tuple(measured))


def refresh_once(site: Path, data_dir: Path, kind: Literal["serial", "processes"], run_id: str) -> Pass:
    """One refresh of the archive up to the coverage tables, as the assets make it."""
    source = Source(name="bench", path=site)
    settings = Settings(data_dir=data_dir, sources=(source,), executor=Executor(kind=kind), links=Links(enabled=False))
    sites = site_bases([source], settings.copies_dir)
    forms = forms_version(sites)
    start = time.perf_counter()
    with begin_refresh(settings, run_id, None) as refresh:
        counts = take_in(refresh, source)
        taken_in = time.perf_counter()
        with refresh.session() as session:
            builder = refresh.builder(session, {"forms.urls": forms, "forms.texts": forms}, form_providers(sites))
            built = builder.build("coverage")
        end = time.perf_counter()
    stories, mentions, articles = (built[f"coverage.{name}"].table.rows for name in ("stories", "mentions", "articles"))
    return Pass(taken_in - start, end - taken_in, counts.seen, counts.parsed, stories, mentions, articles)


def _run(site: Path, data_dir: Path, cores: int, truth: SiteTruth) -> Run:
    kind: Literal["serial", "processes"] = "serial" if cores == 1 else "processes"
    floor = _alone(cores, floor_seconds, site / "_news", cores)
    walk = _alone(cores, walk_seconds, site)
    first = _alone(cores, refresh_once, site, data_dir, kind, "first")
    second = _alone(cores, refresh_once, site, data_dir, kind, "second")
    held = (truth.files, truth.stories, truth.mentions, truth.articles)
    for name, made in (("first", first), ("second", second)):
        found = (made.files_seen, made.stories, made.mentions, made.articles)
        if found != held:
            raise ValueError(
                f"the {name} refresh found (files, stories, mentions, articles) {found}, written were {held}"
            )
    if second.files_parsed:
        raise ValueError(f"nothing had changed, but {second.files_parsed} files were parsed")
    return Run(cores, floor, walk, first, second)


def _alone(cores: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of `function` in a fresh process, pinned to one core where `cores` is 1."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare, initargs=(cores,)) as process:
        return process.submit(function, *args, **kwargs).result()


def _prepare(cores: int) -> None:
    for variable in [name for name in os.environ if name.startswith("NEWSLEDGER_")]:
        del os.environ[variable]  # a figure depends on nobody's settings
    if cores == 1 and hasattr(os, "sched_setaffinity"):
        # Before any library starts threads of its own: they inherit it.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
