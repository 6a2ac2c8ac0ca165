"""The reader over a real archive: set NEWSLEDGER_CORPUS to the folder of the corpus."""

import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from pipeline.assets.documents import take_in
from pipeline.content import Counts, Folder, Rules, rebuild, site_base
from pipeline.content.fence import split
from pipeline.content.values import to_json
from pipeline.lake.refresh import begin_refresh
from pipeline.model.urls import SiteBase
from pipeline.settings import Content, Settings, Source
from tests.front_matter import exact
from tests.reading import find_files, read_files

CORPUS = Path(os.environ.get("NEWSLEDGER_CORPUS", "/nowhere"))
SITE = CORPUS / "microsoft-power-apps/2021-06-03"
RULES = Rules.of(Content())
NOW = datetime(2021, 6, 3, 2, tzinfo=UTC)
pytestmark = pytest.mark.skipif("NEWSLEDGER_CORPUS" not in os.environ, reason="NEWSLEDGER_CORPUS names no corpus")


def read_site(root: Path) -> list[dict[str, Any]]:
    source = Source(name="power-apps", path=root)
    found = find_files(root, source.include, source.exclude)
    return read_files(root, source.name, found["path"].to_pylist(), RULES, NOW, "r").to_pylist()


def reference(file: Path) -> dict[Any, Any]:
    text = file.read_bytes().decode().replace("\r\n", "\n")
    if text.startswith("---\n"):
        text = text[4 : text.index("\n---", 3) + 1]
    return yaml.load(text, yaml.CSafeLoader)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return read_site(SITE)


def test_every_file_is_found_and_accepted(rows: list[dict[str, Any]]) -> None:
    assert len(rows) == 866
    assert Counter(row["status"] for row in rows) == {"accepted": 866}
    assert Counter(row["collection"] for row in rows)["news"] == 192
    assert not [issue for row in rows for issue in row["issues"]]


@pytest.mark.parametrize("site", ["2021-05-26", "2021-06-03"])
def test_every_row_rebuilds_what_pyyaml_reads(site: str) -> None:
    root = SITE.parent / site
    for row in read_site(root):
        expected = reference(root / row["path"])
        assert rebuild(row) == expected, row["path"]
        assert to_json(rebuild(row)) == to_json(expected), row["path"]


@pytest.mark.parametrize("site", ["2021-05-26", "2021-06-03"])
def test_yamlrocks_reads_every_file_exactly_as_pyyaml_does(site: str) -> None:
    """Types and time zones included, key by key in the order of the file."""
    yamlrocks = pytest.importorskip("yamlrocks", reason="Python 3.11 has PyYAML alone")
    source = Source(name="power-apps", path=SITE.parent / site)
    paths = find_files(SITE.parent / site, source.include, source.exclude)["path"].to_pylist()
    compared = 0
    for path in paths:
        file = SITE.parent / site / path
        text = split(file.read_bytes(), file.suffix, 1 << 20).text.replace(b"\r\n", b"\n")
        fast = yamlrocks.loads(text, option=yamlrocks.OPT_PYYAML_COMPAT)
        expected = yaml.load(text, yaml.CSafeLoader)
        assert exact(fast) == exact(expected), path
        assert repr(fast) == repr(expected), path  # which names time zones and keeps the order
        compared += 1
    assert compared > 800


def test_the_stories_hold_this_many_urls(rows: list[dict[str, Any]]) -> None:
    uses = [use for row in rows if row["collection"] == "news" for use in row["url_uses"]]
    assert (len(uses), len({use["raw"] for use in uses})) == (736, 269)


def test_only_the_secured_key_of_the_seed_article_is_left_over() -> None:
    [row] = read_files(CORPUS, "s", ["seed-article.md"], RULES, NOW, "r").to_pylist()
    assert [leftover["pointer"] for leftover in row["leftovers"]] == ["/secured"]
    assert (len(row["related"]), row["issues"]) == (12, [])
    assert rebuild(row) == reference(CORPUS / "seed-article.md")


def test_the_site_names_its_own_address() -> None:
    base = site_base(Source(name="s", path=SITE), Folder(SITE))
    assert base == SiteBase("https://smartableai.github.io", "/microsoft-power-apps")


def test_shards_read_by_other_processes_are_the_rows_of_one() -> None:
    source = Source(name="power-apps", path=SITE)
    paths = find_files(SITE, source.include, source.exclude)["path"].to_pylist()
    whole = read_files(SITE, "s", paths, RULES, NOW, "r")
    work = partial(read_files, SITE, "s", rules=RULES, seen_at=NOW, refresh_id="r")
    pickle.dumps(work)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        shards = list(pool.map(work, [paths[:400], paths[400:]]))
    assert pa.concat_tables(shards).equals(whole)


def test_a_week_of_the_archive_costs_what_changed(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    """The two dates as one source: what did not change is one row."""
    site = tmp_path / "site"
    settings = settings_for(site)
    counts = []
    for date in ("2021-05-26", "2021-06-03"):
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(SITE.parent / date, site)
        with begin_refresh(settings, date, None) as refresh:
            counts.append(take_in(refresh, settings.sources[0]))
    assert counts[0] == Counts(seen=861, accepted=861, parsed=861)
    assert (counts[1].seen, counts[1].accepted, counts[1].unchanged, counts[1].removed) == (866, 6, 860, 0)
