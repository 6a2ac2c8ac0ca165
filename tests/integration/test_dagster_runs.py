"""Runs on real Dagster instances: what succeeds, what stops a run and what must not, who may run."""

import base64
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from pydantic import ValidationError

from pipeline.assets import documents
from pipeline.definitions import build_definitions
from pipeline.lake import relations as sql
from pipeline.lake.lock import hold_lock
from pipeline.lake.refresh import Refresh, begin_refresh
from pipeline.model.tables import TABLES
from pipeline.report.pictures import PICTURES
from pipeline.settings import Settings
from pipeline.warehouse import query, read_file
from tests.conftest import sample_settings
from tests.refreshing import QUIET

ROOT = Path(__file__).parents[2]
ALWAYS_FAILS = """\
-- A check that no archive passes.
-- on: coverage.stories
-- severity: {severity}
-- blocking: {blocking}
-- message: There are stories
select path
from coverage.stories
"""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def settings(settings_for: Callable[..., Settings], sample_site: Path) -> Settings:
    return settings_for(sample_site)


@dataclass(frozen=True, slots=True)
class FirstRun:
    """A whole run on the sample, for reading."""

    settings: Settings
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    result: dg.ExecuteInProcessResult

    def metadata(self, key: str) -> Mapping[str, dg.MetadataValue]:
        """What an asset's event tells."""
        return _last_metadata(self.instance, key)


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRun]:
    settings = sample_settings(tmp_path_factory.mktemp("first") / "data")
    definitions = build_definitions(settings)
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield FirstRun(settings, definitions, ephemeral, _refresh(definitions, ephemeral))


@pytest.fixture
def sql_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of `sql/` that a test may change, read instead of ours."""
    copy = Path(shutil.copytree(sql.sql_folder(), tmp_path / "sql"))
    monkeypatch.setattr(sql, "sql_folder", lambda: copy)
    sql.relations.cache_clear()
    yield copy
    sql.relations.cache_clear()


def _refresh(
    definitions: dg.Definitions, instance: dg.DagsterInstance, only: list[dg.AssetKey] | None = None
) -> dg.ExecuteInProcessResult:
    job = definitions.resolve_job_def("refresh")
    return job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=only, run_config=QUIET)


def _key(name: str) -> dg.AssetKey:
    return dg.AssetKey.from_user_string(name)


def _last_metadata(instance: dg.DagsterInstance, key: str) -> Mapping[str, dg.MetadataValue]:
    event = instance.get_latest_materialization_event(_key(key))
    assert event is not None, key
    assert event.asset_materialization is not None
    return event.asset_materialization.metadata


def _evaluations(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()}


def _failure(instance: dg.DagsterInstance, run_id: str) -> str:
    """All that the run's failure events say, causes and all."""
    kinds = {dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.STEP_FAILURE}
    return "\n".join(
        str(record.dagster_event and record.dagster_event.event_specific_data)
        for record in instance.all_logs(run_id, of_type=kinds)
    )


def test_the_job_materializes_everything_and_evaluates_every_check(first_run: FirstRun) -> None:
    result = first_run.result
    assert result.success

    graph = first_run.definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert first_run.instance.get_latest_materialization_event(key) is not None, key
    evaluated = {evaluation.asset_check_key for evaluation in result.get_asset_check_evaluations()}
    assert evaluated == graph.asset_check_keys
    failed = {name: evaluation.severity for name, evaluation in _evaluations(result).items() if not evaluation.passed}
    assert failed == dict.fromkeys(
        [
            "no_related_item_is_repeated",
            "no_text_is_escaped_twice",
            "providers_have_one_name",
            "story_topics_are_defined",
        ],
        dg.AssetCheckSeverity.WARN,
    ), "the sample has one of each, and nothing graver"


def test_each_table_tells_its_rows_and_shows_the_first(first_run: FirstRun) -> None:
    file = read_file(first_run.settings.warehouse_file)
    for full_name in TABLES.keys() - {"ops.catalog"}:
        metadata = first_run.metadata(full_name.replace(".", "/"))
        rows = query(file, f"select count(*) as n from {full_name}").to_pylist()[0]["n"]
        assert metadata["dagster/row_count"].value == rows, full_name
        preview = str(metadata["preview"].value).splitlines()
        assert len(preview) == 2 + min(rows, 10), full_name
        columns = len(TABLES[full_name].columns)
        assert all(len(re.findall(r"(?<!\\)\|", line)) == columns + 1 for line in preview), full_name
        assert max(map(len, preview)) < 80 * columns, full_name


def test_pictures_of_the_report_are_shown_on_the_assets_that_they_belong_to(first_run: FirstRun) -> None:
    """As images that need no network; what cannot be drawn yet says why, and nothing grows without bounds."""
    shown = {
        picture.name: str(first_run.metadata(picture.belongs_to.replace(".", "/"))[picture.name].value)
        for picture in PICTURES.values()
    }
    assert max(map(len, shown.values())) < 100_000
    images = {name: text for name, text in shown.items() if "](data:image/svg+xml;base64," in text}
    assert {"topics_by_week", "clusters_picture"} <= images.keys()
    drawn = base64.b64decode(images["topics_by_week"].partition("base64,")[2].partition(")")[0]).decode()
    assert "Tidal Power" in drawn
    assert "var(" not in drawn, "no page lends its colours"
    assert shown["files_by_refresh"].startswith("Two published refreshes are needed")


def test_a_second_run_makes_no_table_of_content_anew(
    first_run: FirstRun, begun_sample: Settings, instance: dg.DagsterInstance
) -> None:
    assert first_run.metadata("coverage/stories")["made_anew"].value is True
    assert _refresh(build_definitions(begun_sample), instance).success
    assert _last_metadata(instance, "coverage/stories")["made_anew"].value is False


def test_a_refresh_that_does_not_add_up_publishes_nothing(begun_sample: Settings, instance: dg.DagsterInstance) -> None:
    settings = begun_sample

    @dg.resource
    def miscounting() -> Iterator[Refresh]:
        with begin_refresh(settings, "a run that miscounts", None) as begun:
            begun.record("read", source="sample", files_seen=7, files_accepted=3, files_rejected=1)
            yield begun

    published = read_file(settings.warehouse_file)
    snapshot = (settings.lake_dir / "tables" / "current.json").read_bytes()

    failed = _refresh(build_definitions(settings, refresh=miscounting), instance)
    assert not failed.success
    check = _evaluations(failed)["files_add_up"]
    assert (check.passed, check.blocking) == (False, True)
    assert check.metadata["offenders"].value == 1
    assert "files_add_up" in _failure(instance, failed.run_id)
    materialized = {event.asset_key for event in failed.get_asset_materialization_events()}
    assert not {key for key in materialized if key and key.path[0] in ("links", "reports", "warehouse")}
    assert read_file(settings.warehouse_file) == published
    assert (settings.lake_dir / "tables" / "current.json").read_bytes() == snapshot

    assert _refresh(build_definitions(settings), instance).success, "the next one is not held back by it"
    assert read_file(settings.warehouse_file) != published


def test_what_a_blocking_check_refused_cannot_be_published_by_hand_either(
    begun_sample: Settings, instance: dg.DagsterInstance, sql_folder: Path
) -> None:
    """Someone who starts a run at warehouse/file skips the step whose check failed, not the check."""
    settings = begun_sample
    published = read_file(settings.warehouse_file)
    check = ALWAYS_FAILS.format(severity="error", blocking="yes")
    (sql_folder / "checks" / "no_stories.sql").write_text(check, "utf-8")
    sql.relations.cache_clear()
    definitions = build_definitions(settings)
    assert not _refresh(definitions, instance).success

    by_hand = _refresh(definitions, instance, [_key(f"warehouse/{name}") for name in ("file", "report", "published")])
    assert not by_hand.success
    assert "There are stories (no_stories)" in _failure(instance, by_hand.run_id)
    assert read_file(settings.warehouse_file) == published


def test_publication_alone_works_after_a_good_refresh_and_not_before_one(
    settings_for: Callable[..., Settings], begun_sample: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    warehouse = [_key(f"warehouse/{name}") for name in ("file", "report", "published")]
    nothing_yet = settings_for(tmp_path / "site", data_dir=str(tmp_path / "other"))
    too_early = _refresh(build_definitions(nothing_yet), instance, warehouse)
    assert not too_early.success
    assert "run the whole job refresh" in _failure(instance, too_early.run_id)
    assert not nothing_yet.warehouse_file.exists()

    published = read_file(begun_sample.warehouse_file)
    assert _refresh(build_definitions(begun_sample), instance, warehouse).success
    assert read_file(begun_sample.warehouse_file) != published


@pytest.mark.parametrize(("severity", "blocking"), [("warn", "no"), ("error", "no")])
def test_a_failing_check_that_does_not_block_is_told_and_stops_nothing(
    settings: Settings, instance: dg.DagsterInstance, sql_folder: Path, severity: str, blocking: str
) -> None:
    check = ALWAYS_FAILS.format(severity=severity, blocking=blocking)
    (sql_folder / "checks" / "no_stories.sql").write_text(check, "utf-8")
    sql.relations.cache_clear()
    result = _refresh(build_definitions(settings), instance)
    assert result.success
    evaluation = _evaluations(result)["no_stories"]
    assert not evaluation.passed
    assert evaluation.severity.value == severity.upper()
    assert evaluation.description == "There are stories"
    shown = str(evaluation.metadata["first_offenders"].value).splitlines()
    assert len(shown) == 2 + 20
    assert read_file(settings.warehouse_file).exists()


def test_a_story_of_the_future_warns_and_is_published(
    settings: Settings, instance: dg.DagsterInstance, sample_site: Path
) -> None:
    (sample_site / "_news" / "2999-01-01-ahead.md").write_text(
        "---\ncategory: news\ntitle: Ahead of its time\nwebUrl: https://ahead.example/1\n"
        "publishedDateTime: 2999-01-01T00:00:00Z\n---\n",
        "utf-8",
    )
    result = _refresh(build_definitions(settings), instance)
    assert result.success
    check = _evaluations(result)["published_in_the_future"]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)


def test_a_sweep_that_fails_is_told_and_the_content_is_published(
    settings_for: Callable[..., Settings], sample_site: Path, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    web = tmp_path / "web.yaml"
    web.write_text("hosts: [this is no table of answers", "utf-8")
    settings = settings_for(sample_site, links={"rehearsal": str(web)})
    result = _refresh(build_definitions(settings), instance)
    assert result.success
    check = _evaluations(result)["sweep_completed"]
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    assert str(web) in (check.description or "")
    held = query(
        read_file(settings.warehouse_file),
        "select (select count(*) from coverage.stories) as stories, count(*) as links,"
        " count(*) filter (state = 'unknown') as unknown from links.states",
    ).to_pylist()[0]
    assert held["stories"] == 37
    assert held["links"] == held["unknown"] > 0


def test_a_source_can_be_read_alone(settings: Settings, instance: dg.DagsterInstance) -> None:
    """It takes the lock, fills the log and publishes nothing; the whole refresh then has nothing left to read."""
    definitions = build_definitions(settings)
    alone = _refresh(definitions, instance, [_key("documents/sample")])
    assert alone.success
    assert [str(event.asset_key and event.asset_key.to_user_string()) for event in _materialized(alone)] == [
        "documents/sample"
    ]
    assert json.loads(settings.lock_file.read_text("utf-8"))["holder"] == f"run {alone.run_id}"
    with hold_lock(settings.lock_file, "a test"):
        pass  # it was given back
    assert not settings.warehouse_file.exists()
    assert _refresh(definitions, instance).success
    last = query(read_file(settings.warehouse_file), "from ops.refreshes order by started_at").to_pylist()
    assert [(row["outcome"], row["files_seen"], row["files_unchanged"]) for row in last] == [
        ("unpublished", 93, 0),
        ("published", 93, 93),
    ]


def test_one_source_can_be_read_while_the_others_keep_their_last_state(
    settings_for: Callable[..., Settings], sample_site: Path, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    south = Path(shutil.copytree(sample_site, tmp_path / "south"))
    sources = [{"name": "north", "path": str(sample_site)}, {"name": "south", "path": str(south)}]
    settings = settings_for(sample_site, sources=sources)
    definitions = build_definitions(settings)
    assert _refresh(definitions, instance).success
    for site in (sample_site, south):
        (site / "_news" / "2024-06-26-new.md").write_text("---\ncategory: news\ntitle: New\n---\n", "utf-8")

    only = [key for key in definitions.resolve_asset_graph().executable_asset_keys if key.path[0] != "documents"]
    alone = _refresh(definitions, instance, [_key("documents/south"), *only])
    assert alone.success
    news = "select source, count(*) as n from coverage.documents where path like '%06-26-new.md' group by source"
    assert query(read_file(settings.warehouse_file), news).to_pylist() == [{"source": "south", "n": 1}]
    kept = "select source, count(*) as n from coverage.stories group by source order by source"
    assert query(read_file(settings.warehouse_file), kept).to_pylist() == [
        {"source": "north", "n": 37},
        {"source": "south", "n": 38},
    ]


def test_half_of_the_files_stops_a_refresh_unless_its_config_says_otherwise(
    settings: Settings, instance: dg.DagsterInstance, sample_site: Path
) -> None:
    definitions = build_definitions(settings)
    only = [_key("documents/sample")]
    assert _refresh(definitions, instance, only).success
    for folder in ("_news", "_data"):
        shutil.rmtree(sample_site / folder)
    stopped = _refresh(definitions, instance, only)
    assert not stopped.success
    assert "min_files_share: 0 in the config of the run" in _failure(instance, stopped.run_id)
    job = definitions.resolve_job_def("refresh")
    config = {"ops": {"documents__sample": {"config": {"min_files_share": 0}}}}
    told = job.execute_in_process(instance=instance, asset_selection=only, run_config=config)
    [event] = _materialized(told)
    assert event.materialization.metadata["files_removed"].value > 40


@pytest.mark.parametrize(("shares", "wrong"), [(2, "min_files_share"), ("none", "min_files_share")])
def test_config_of_a_run_is_typed(settings: Settings, shares: object, wrong: str) -> None:
    job = build_definitions(settings).resolve_job_def("refresh")
    config = {"ops": {"documents__sample": {"config": {"min_files_share": shares}}}}
    with pytest.raises((dg.DagsterInvalidConfigError, ValidationError), match=wrong):
        job.execute_in_process(asset_selection=[_key("documents/sample")], run_config=config)


def test_a_source_that_cannot_be_reached_is_asked_again(
    settings_for: Callable[..., Settings],
    sample_site: Path,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(documents, "FIRST_WAIT_SECONDS", 0.01)
    away = settings_for(sample_site, sources=[{"name": "sample", "git": "http://127.0.0.1:1/archive.git"}])
    failed = _refresh(build_definitions(away), instance, [_key("documents/sample")])
    assert not failed.success
    tries = instance.all_logs(failed.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert len(tries) == 3
    assert "cannot be reached" in _failure(instance, failed.run_id)
    gone = settings_for(sample_site / "gone")
    failed = _refresh(build_definitions(gone), instance, [_key("documents/sample")])
    assert instance.all_logs(failed.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY) == []


@pytest.mark.usefixtures("begun_sample")
def test_the_links_alone_and_a_rebuild_are_jobs_that_read_no_content(
    settings_for: Callable[..., Settings], sample_site: Path, instance: dg.DagsterInstance, sql_folder: Path
) -> None:
    web = {"rehearsal": str(ROOT / "seeds" / "web.yaml"), "pace_seconds": 0.02, "timeout_seconds": 3}
    (sample_site / "_news" / "2024-06-26-new.md").write_text("---\ncategory: news\ntitle: New\n---\n", "utf-8")
    settings = settings_for(sample_site, links=web)

    def run(name: str) -> dict[str, object]:
        definitions = build_definitions(settings)
        config = QUIET | dict(definitions.resolve_job_def(name).run_config or {})
        assert definitions.resolve_job_def(name).execute_in_process(instance=instance, run_config=config).success
        last = "select outcome, files_seen, urls_checked from ops.refreshes order by started_at desc limit 1"
        return query(read_file(settings.warehouse_file), last).to_pylist()[0]

    rule = sql_folder / "coverage" / "stories.sql"
    rule.write_text(rule.read_text("utf-8").replace("    mentions.heat,\n", "    7 as heat,\n"), "utf-8")
    sql.relations.cache_clear()
    rebuilt = run("rebuild_warehouse")
    assert rebuilt == {"outcome": "published", "files_seen": 0, "urls_checked": None}
    checked = run("check_links")
    assert (checked["outcome"], checked["files_seen"]) == ("published", 0)
    assert int(str(checked["urls_checked"])) > 0
    held = "select count(*) as n, count(heat) as heats from coverage.stories"
    assert query(read_file(settings.warehouse_file), held).to_pylist() == [{"n": 37, "heats": 37}]


def _materialized(result: dg.ExecuteInProcessResult) -> list[dg.DagsterEvent]:
    return result.get_asset_materialization_events()


@pytest.mark.parametrize("only", [None, [dg.AssetKey(["documents", "sample"])]], ids=["all", "documents"])
def test_a_run_fails_at_once_while_another_holds_the_lock(
    settings: Settings, instance: dg.DagsterInstance, only: list[dg.AssetKey] | None
) -> None:
    with hold_lock(settings.lock_file, "run of a test"):
        began = time.monotonic()
        failed = _refresh(build_definitions(settings), instance, only)
    assert time.monotonic() - began < 5
    assert not failed.success
    told = _failure(instance, failed.run_id)
    assert f"{settings.lock_file}: another refresh is running (run of a test, process " in told
    run = instance.get_run_by_id(failed.run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.FAILURE


@pytest.mark.parametrize(
    ("timezone", "at", "night"),
    [
        ("UTC", datetime(2026, 3, 29, 2, 30, tzinfo=UTC), date(2026, 3, 29)),
        ("Pacific/Auckland", datetime(2026, 6, 30, 14, 30, tzinfo=UTC), date(2026, 7, 1)),
    ],
)
def test_a_tick_asks_for_the_run_of_its_night(
    settings_for: Callable[..., Settings], sample_site: Path, timezone: str, at: datetime, night: date
) -> None:
    settings = settings_for(sample_site, schedule={"cron": "30 2 * * *", "timezone": timezone})
    schedule = build_definitions(settings).get_repository_def().get_schedule_def("nightly_refresh")
    assert schedule.execution_timezone == timezone
    with dg.DagsterInstance.ephemeral() as instance:
        asked = [
            schedule.evaluate_tick(dg.build_schedule_context(instance, scheduled_execution_time=at)).run_requests
            for _ in range(2)
        ]
    first, second = (requests[0] for requests in asked if requests)
    assert first.tags["newsledger/night"] == night.isoformat()
    assert first.run_key == second.run_key, "so that the scheduler launches it once"
