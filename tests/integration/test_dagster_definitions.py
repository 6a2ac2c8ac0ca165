"""What Dagster is told: every asset, check, job and schedule, held against a committed snapshot.

After a change that is meant, `UPDATE_SNAPSHOTS=1 pytest tests/integration/test_dagster_definitions.py` writes it anew.
"""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.assets import lineage, source_code
from pipeline.definitions import build_definitions
from pipeline.lake.relations import relation
from pipeline.model.tables import TABLES
from pipeline.settings import Settings

SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "dagster_definitions.json"
PUBLISHED = dg.AssetKey(["warehouse", "published"])

LOAD = """
import dagster as dg
from pipeline.definitions import defs

dg.Definitions.validate_loadable(defs())
"""


@pytest.fixture
def definitions(settings_for: Callable[..., Settings], sample_site: Path) -> dg.Definitions:
    return build_definitions(settings_for(sample_site))


def _cut(text: str | None) -> str:
    return textwrap.shorten(text or "", 100, placeholder=" …")


def _asset(spec: dg.AssetSpec) -> dict[str, object]:
    schema = spec.metadata.get("dagster/column_schema")
    columns = schema.columns if isinstance(schema, dg.TableSchema) else ()
    return {
        "description": _cut(spec.description),
        "group": spec.group_name,
        "kinds": ", ".join(sorted(spec.kinds)),
        "owners": ", ".join(spec.owners),
        "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
        "lineage": _lineage(spec.metadata.get("dagster/column_lineage")),
        "freshness": str(spec.freshness_policy and type(spec.freshness_policy).__name__),
        "columns": [f"{c.name} {c.type}{'' if c.constraints.nullable else ' not null'}" for c in columns],
    }


def _lineage(found: object) -> dict[str, list[str]]:
    if not isinstance(found, dg.TableColumnLineage):
        return {}
    return {
        column: [f"{dep.asset_key.to_user_string()}.{dep.column_name}" for dep in deps]
        for column, deps in found.deps_by_column.items()
    }


def _snapshot(definitions: dg.Definitions) -> dict[str, dict[str, object]]:
    graph = definitions.resolve_asset_graph()
    jobs = [job for job in definitions.get_repository_def().get_all_jobs() if not job.name.startswith("__")]
    specs = sorted(definitions.resolve_all_asset_specs(), key=lambda spec: spec.key)
    return {
        "assets": {spec.key.to_user_string(): _asset(spec) for spec in specs},
        "checks": {
            f"{key.asset_key.to_user_string()}: {key.name}": {
                "blocking": graph.get(key).blocking,
                "description": _cut(graph.get(key).description),
            }
            for key in sorted(graph.asset_check_keys)
        },
        "jobs": {
            job.name: {
                "description": job.description,
                "tags": dict(job.tags),
                "steps": sorted(node.name for node in job.nodes),
            }
            for job in sorted(jobs, key=lambda job: job.name)
        },
        "schedules": {
            schedule.name: {
                "cron": schedule.cron_schedule,
                "timezone": schedule.execution_timezone,
                "job": schedule.job_name,
                "status": schedule.default_status.value,
            }
            for schedule in definitions.get_repository_def().schedule_defs
        },
        "sensors": {
            sensor.name: {
                "job": sensor.job_name if sensor.targets else None,
                "every_seconds": sensor.minimum_interval_seconds,
                "status": sensor.default_status.value,
            }
            for sensor in definitions.get_repository_def().sensor_defs
        },
    }


def test_the_definitions_can_be_loaded(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_the_definitions_are_those_of_the_snapshot(definitions: dg.Definitions) -> None:
    found = _snapshot(definitions)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    kept = json.loads(SNAPSHOT.read_text("utf-8"))
    assert found.keys() == kept.keys()
    for part, specs in kept.items():
        assert found[part].keys() == specs.keys(), f"{part}: UPDATE_SNAPSHOTS=1 takes them over"
        for name, spec in specs.items():
            assert found[part][name] == spec, f"{name}: UPDATE_SNAPSHOTS=1 takes it over"


def test_every_table_is_an_asset_with_its_columns_and_what_a_row_is(definitions: dg.Definitions) -> None:
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    for full_name in TABLES.keys() - {"ops.catalog"}:  # the catalog is written with the warehouse file it tells of
        metadata = specs[dg.AssetKey(full_name.split("."))].metadata
        columns = metadata["dagster/column_schema"].columns
        assert [column.name for column in columns] == [column.name for column in TABLES[full_name].columns]
        assert all(column.description for column in columns), full_name
        assert {"grain", "key", "sql"} <= metadata.keys(), full_name


def test_every_column_says_where_it_comes_from(definitions: dg.Definitions) -> None:
    """Seen through CTEs, staging and forms; a source of a lineage is a column that its asset has."""
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    constant = {"role", "kind", "appearance", "age", "grouping"}  # literals of the SQL
    for full_name, table in TABLES.items():
        if full_name == "ops.catalog":
            continue
        origins = specs[dg.AssetKey(full_name.split("."))].metadata["dagster/column_lineage"].deps_by_column
        assert [*origins] == [column.name for column in table.columns], full_name
        assert all(origins[column] for column in relation(full_name).key if column not in constant), full_name
        for dep in {dep for deps in origins.values() for dep in deps}:
            source = specs[dep.asset_key].metadata["dagster/column_schema"]
            assert dep.column_name in {column.name for column in source.columns}, f"{full_name}: {dep}"
    lead = specs[dg.AssetKey(["reports", "dead_links"])].metadata["dagster/column_lineage"].deps_by_column
    assert lead["story_title"] == [dg.TableColumnDep(dg.AssetKey(["coverage", "stories"]), "title")]
    urls = specs[dg.AssetKey(["coverage", "urls"])].metadata["dagster/column_lineage"].deps_by_column
    assert dg.TableColumnDep(dg.AssetKey(["documents", "sample"]), "url_uses") in urls["fetch_url"]
    assert urls["use_count"] == []


def test_sql_that_cannot_be_followed_costs_its_lineage_and_nothing_else(
    definitions: dg.Definitions, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whose = "select upper(name) as name from a.b inner join c.d on b.id = d.id where name = 'x'"
    odd = replace(relation("coverage.stories"), sql=whose)
    monkeypatch.setattr(lineage, "relation", lambda _: odd)
    lineage.column_origins.cache_clear()
    try:
        assert lineage.column_lineage("coverage.stories", {}).deps_by_column == {}
    finally:
        lineage.column_origins.cache_clear()
    assert "sql/coverage/stories.sql: no lineage of its columns" in caplog.text


def test_every_asset_leads_to_its_code(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        places = [place.source for place in spec.metadata["dagster/code_references"].code_references]
        found = [re.search(r"(?:sql|pipeline)/[\w/]+\.(sql|py)(?:#L|:)\d+$", place) for place in places]
        ends = [place[1] for place in found if place]
        assert ends == (["sql", "py"] if spec.metadata.get("sql") else ["py"]), places


@pytest.mark.parametrize(
    ("origin", "url"),
    [
        ("https://someone:a-secret@github.com/newsroom/ledger.git", "https://github.com/newsroom/ledger"),
        ("git@gitlab.example.org:desk/news/ledger.git", "https://gitlab.example.org/desk/news/ledger"),
        ("ssh://git@github.com/newsroom/ledger", "https://github.com/newsroom/ledger"),
        ("/srv/git/ledger.git", None),
        ("https://forge.example.org/newsroom/ledger", None),
    ],
)
def test_a_checkout_of_a_hosted_repository_leads_to_its_pages(tmp_path: Path, origin: str, url: str | None) -> None:
    assert source_code.hosted_at(tmp_path) is None
    for command in (
        ["init", "-q"],
        ["-c", "user.name=a", "-c", "user.email=a@b.example", "commit", "-q", "--allow-empty", "-m", "first"],
        ["remote", "add", "origin", origin],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    hosted = source_code.hosted_at(tmp_path)
    assert (hosted[0] if hosted else None) == url
    assert hosted is None or re.fullmatch("[0-9a-f]{40}", hosted[1])


def test_what_a_morning_needs_has_a_freshness_policy(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    definitions = build_definitions(settings_for(sample_site, schedule={"stale_after_hours": 20}))
    policies = {
        spec.key.to_user_string(): spec.freshness_policy
        for spec in definitions.resolve_all_asset_specs()
        if spec.freshness_policy
    }
    assert set(policies) == {"documents/sample", "log/link_checks", "warehouse/published"}
    assert set(policies.values()) == {
        dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=20), warn_window=timedelta(hours=15))
    }


def test_every_asset_says_what_it_is_and_whose(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert all((spec.description, spec.group_name, spec.kinds, spec.owners)), spec.key


def test_publication_waits_for_everything_else(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    upstream = dg.AssetSelection.assets(PUBLISHED).upstream().resolve(graph)
    assert upstream == graph.get_all_asset_keys() - {dg.AssetKey(["log", "refreshes"])}, "which every step writes into"


def test_a_click_on_one_table_makes_all_of_its_stage(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for schema in ("coverage", "links", "reports"):
        tables = {dg.AssetKey(full_name.split(".")) for full_name in TABLES if full_name.startswith(f"{schema}.")}
        one = min(tables)
        assert tables <= graph.get(one).execution_set_asset_keys, schema


def test_each_source_is_an_asset_of_its_own(settings_for: Callable[..., Settings], sample_site: Path) -> None:
    sources = [{"name": name, "path": str(sample_site)} for name in ("north", "south-2")]
    definitions = build_definitions(settings_for(sample_site, sources=sources))
    dg.Definitions.validate_loadable(definitions)
    graph = definitions.resolve_asset_graph()
    documents = {dg.AssetKey(["documents", name]) for name in ("north", "south-2")}
    assert {key for key in graph.get_all_asset_keys() if key.path[0] == "documents"} == documents
    assert documents <= graph.get(dg.AssetKey(["coverage", "documents"])).parent_keys


def test_nothing_that_dagster_may_yet_change_is_used(write_settings: Callable[..., Path], sample_site: Path) -> None:
    """Beta, preview, superseded and deprecated parts warn as they are loaded; a fresh process hears them all."""
    loaded = subprocess.run(
        [sys.executable, "-W", "always", "-c", LOAD],
        env=os.environ | {"NEWSLEDGER_CONFIG": str(write_settings(sample_site))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    marks = ("BetaWarning", "PreviewWarning", "SupersessionWarning", "/pipeline/")
    assert [line for line in loaded.stderr.splitlines() if any(mark in line for mark in marks)] == []
