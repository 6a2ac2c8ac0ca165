"""Drift of the archive's own schema: what is drift and what is not, and that it is told without stopping anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.assets.documents import take_in
from pipeline.checks import checks_on, run_checks
from pipeline.definitions import build_definitions
from pipeline.lake.build import Built
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Settings
from pipeline.warehouse import query, read_file
from tests.tables import FIRST_REFRESH, front_matter

Drift = tuple[str, str, str, str, list[str], str]
"""Collection, kind, path of the key, type, types before, file."""

_DRIFT = """
select collection, kind, pointer, type, types_before, path
from ops.schema_changes
order by first_seen_at, collection, pointer, type
"""
TITLED = {"category": "news", "title": "One"}


@dataclass(slots=True)
class Watched:
    """An archive whose refreshes, a day apart, go as far as the tables of `ops` and their checks."""

    settings: Settings
    site: Path
    refreshes: int = 0
    built: Mapping[str, Built] | None = None
    warned: int = 0
    """Drift that the check of the last refresh showed."""

    def write(self, path: str, content: Mapping[str, object] | str) -> None:
        file = self.site / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else front_matter(content), "utf-8")

    def refresh(self, publish: bool = True) -> list[Drift]:
        """All the drift there ever was, as the refresh left it."""
        now = (FIRST_REFRESH + timedelta(days=self.refreshes)).isoformat()
        self.refreshes += 1
        with begin_refresh(self.settings, f"run {self.refreshes}", now) as refresh:
            for source in self.settings.sources:
                take_in(refresh, source)
            with refresh.session() as session:
                builder = refresh.builder(session)
                self.built = builder.build("ops")
                [result] = run_checks(builder, checks_on("ops"))["ops.schema_changes"]
                builder.need("ops.schema_changes")
                rows = session.run(_DRIFT)
            if publish:
                refresh.record("published", warehouse="none")
        assert result.severity is dg.AssetCheckSeverity.WARN
        self.warned = int(str(result.metadata["offenders"].value))
        assert result.passed is (self.warned == 0)
        return rows


@pytest.fixture
def archive(tmp_path: Path, settings_for: Callable[..., Settings]) -> Watched:
    (tmp_path / "site").mkdir()
    return Watched(settings_for(tmp_path / "site", sanity={"min_files_share": 0}), tmp_path / "site")


def test_the_first_sight_of_a_collection_is_no_drift(archive: Watched) -> None:
    archive.write("_news/one.md", TITLED | {"odd": {"key": [1, 2.5]}})
    archive.write("_news/two.md", TITLED | {"odd": None})
    assert (archive.refresh(), archive.warned) == ([], 0)
    archive.write("_people/first.md", {"name": "Ines", "age": 40})
    assert (archive.refresh(), archive.warned) == ([], 0)


CHANGES: dict[str, tuple[dict[str, object], dict[str, object], list[Drift]]] = {
    "a typed key": (
        {"title": "One"},
        {"title": "One", "heat": 7},
        [("news", "new_key", "/heat", "integer", [], "_news/one.md")],
    ),
    "an untyped key": (
        {"title": "One"},
        {"title": "One", "mood": "calm"},
        [("news", "new_key", "/mood", "string", [], "_news/one.md")],
    ),
    "a key in a related item": (
        {"related": [{"title": "a"}, {"title": "b"}]},
        {"related": [{"title": "a"}, {"title": "b", "webUrl": "https://a.example/", "tone": 1}]},
        [
            ("news", "new_key", "/related/*/tone", "integer", [], "_news/one.md"),
            ("news", "new_key", "/related/*/webUrl", "string", [], "_news/one.md"),
        ],
    ),
    "a key of an image of a provider": (
        {"provider": {"name": "Post", "images": [{"url": "/a.png"}]}},
        {"provider": {"name": "Post", "images": [{"url": "/a.png", "width": 3, "alt": "A"}]}},
        [
            ("news", "new_key", "/provider/images/*/alt", "string", [], "_news/one.md"),
            ("news", "new_key", "/provider/images/*/width", "integer", [], "_news/one.md"),
        ],
    ),
    "a key deep in a leftover": (
        {"plan": {"steps": [{"name": "a"}]}},
        {"plan": {"steps": [{"name": "a"}, {"name": "b", "due": date(2026, 5, 1)}]}},
        [("news", "new_key", "/plan/steps/*/due", "date", [], "_news/one.md")],
    ),
    "a typed key of another type": (
        {"quality": 5},
        {"quality": "high"},
        [("news", "new_type", "/quality", "string", ["integer"], "_news/one.md")],
    ),
    "a number that becomes a fraction": (
        {"rating": 5},
        {"rating": 4.5},
        [("news", "new_type", "/rating", "number", ["integer"], "_news/one.md")],
    ),
    "a time written as a date": (
        {"publishedDateTime": FIRST_REFRESH},
        {"publishedDateTime": date(2026, 3, 1)},
        [("news", "new_type", "/publishedDateTime", "date", ["timestamp"], "_news/one.md")],
    ),
    "a key without a value": (
        {"mood": "calm"},
        {"mood": None},
        [("news", "new_type", "/mood", "null", ["string"], "_news/one.md")],
    ),
    "related as slugs": (
        {"related": [{"title": "a"}]},
        {"related": [{"title": "a"}, "a-slug"]},
        [("news", "new_type", "/related/*", "string", ["mapping"], "_news/one.md")],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_what_a_later_refresh_adds_is_drift(archive: Watched, case: str) -> None:
    before, after, expected = CHANGES[case]
    archive.write("_news/one.md", before)
    assert archive.refresh() == []
    archive.write("_news/one.md", after)
    assert (archive.refresh(), archive.warned) == (expected, len(expected))


def test_a_key_is_new_once_and_a_type_names_those_before_it_in_their_order(archive: Watched) -> None:
    for number, value in enumerate((None, "calm", None, 3, "calm", ["calm"])):
        archive.write("_news/one.md", TITLED | ({} if number == 0 else {"mood": value}))
        drift = archive.refresh()
    assert drift == [
        ("news", "new_key", "/mood", "string", [], "_news/one.md"),
        ("news", "new_type", "/mood", "null", ["string"], "_news/one.md"),
        ("news", "new_type", "/mood", "integer", ["string", "null"], "_news/one.md"),
        ("news", "new_type", "/mood", "list", ["string", "null", "integer"], "_news/one.md"),
        ("news", "new_key", "/mood/*", "string", [], "_news/one.md"),
    ]


def test_a_key_that_went_and_came_back_is_no_drift(archive: Watched) -> None:
    for content in (TITLED | {"mood": 1}, TITLED, TITLED | {"mood": 2}):
        archive.write("_news/one.md", content)
        assert archive.refresh() == []
    (archive.site / "_news/one.md").unlink()
    assert archive.refresh() == []
    archive.write("_news/other.md", TITLED | {"mood": 3})
    assert archive.refresh() == []


def test_of_several_files_the_first_by_name_is_told(archive: Watched) -> None:
    archive.write("_news/one.md", TITLED)
    archive.refresh()
    for name in ("c", "a", "b"):
        archive.write(f"_news/{name}.md", TITLED | {"mood": name})
    assert archive.refresh() == [("news", "new_key", "/mood", "string", [], "_news/a.md")]


def test_a_rejected_file_is_no_drift(archive: Watched) -> None:
    archive.write("_news/one.md", TITLED)
    archive.refresh()
    archive.write("_news/one.md", "---\ntitle: [\nmood: calm\n---\n")
    assert archive.refresh() == []


def test_only_drift_that_nobody_could_read_of_yet_is_warned_of(archive: Watched) -> None:
    """That of a refresh which never came to publish is warned of by the next that does."""
    archive.write("_news/one.md", TITLED)
    archive.refresh()
    archive.write("_news/one.md", TITLED | {"mood": "calm"})
    archive.refresh(publish=False)
    assert archive.warned == 1
    archive.write("_news/two.md", TITLED | {"tide": "low"})
    assert len(archive.refresh()) == 2
    assert archive.warned == 2
    assert len(archive.refresh()) == 2
    assert archive.warned == 0


def test_the_table_is_not_made_again_where_nothing_changed(archive: Watched) -> None:
    archive.write("_news/one.md", TITLED)
    made = []
    for content in (TITLED, TITLED, TITLED | {"mood": "calm"}):
        archive.write("_news/one.md", content)
        archive.refresh()
        assert archive.built is not None
        made.append(archive.built["ops.schema_changes"].is_new)
    assert made == [True, False, True]


def test_drift_is_a_warning_and_the_refresh_is_published(
    settings_for: Callable[..., Settings], sample_site: Path
) -> None:
    settings = settings_for(sample_site)
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    evaluations = []
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            job = build_definitions(settings).resolve_job_def("refresh")
            result = job.execute_in_process(instance=instance, run_config=quiet)
            assert result.success
            evaluations += [e for e in result.get_asset_check_evaluations() if e.check_name == "schema_drift"]
            file = next((sample_site / "_people").glob("*.md"))
            file.write_text(file.read_text("utf-8").replace("---\n", "---\nbadge: 7\n", 1), "utf-8")
    assert [(e.passed, e.blocking, e.severity) for e in evaluations] == [
        (True, False, dg.AssetCheckSeverity.WARN),
        (False, False, dg.AssetCheckSeverity.WARN),
    ]
    [_, _, shown] = str(evaluations[1].metadata["first_offenders"].value).splitlines()
    assert "| new_key | /badge | integer |" in shown
    told = query(read_file(settings.warehouse_file), "select collection, pointer, path from ops.schema_changes")
    path = file.relative_to(sample_site).as_posix()
    assert told.to_pylist() == [{"collection": "people", "pointer": "/badge", "path": path}]
