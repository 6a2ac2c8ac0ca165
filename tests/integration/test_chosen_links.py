"""A run of the links step that a person limits in Dagster's launchpad."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
import yaml

from pipeline.assets.choosing import ChosenLinks
from pipeline.assets.links import chosen_tonight
from pipeline.definitions import build_definitions
from pipeline.lake.refresh import begin_refresh
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file

NORTH, SOUTH = "https://www.north.example/a", "https://south.example/b"
PICTURE, GONE, WRITTEN = "https://north.example/p.png", "https://south.example/gone", "https://South.example/c#part"
PAGES = {
    "north": f"---\ncategory: news\ntitle: A\nwebUrl: {NORTH}\nimages:\n- url: {PICTURE}\n---\n",
    "south": f"---\ncategory: news\ntitle: B\nwebUrl: {SOUTH}\noriginalUrl: {GONE}\nampWebUrl: {WRITTEN}\n---\n",
}
WEB = {
    "hosts": {
        "www.north.example": {"otherwise": {}},
        "north.example": {"otherwise": {"type": "image/png"}},
        "south.example": {"paths": {"/gone": {"status": 404}}, "otherwise": {}},
    }
}


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dg.Definitions]:
    folder = tmp_path_factory.mktemp("chosen")
    for name, text in PAGES.items():
        (folder / name / "_news").mkdir(parents=True)
        (folder / name / "_news" / "a.md").write_text(text, "utf-8")
    (folder / "web.yaml").write_text(yaml.safe_dump(WEB), "utf-8")
    values = {
        "data_dir": "data",
        "sources": [{"name": name, "path": name} for name in PAGES],
        "links": {
            "rehearsal": "web.yaml",
            "pace_seconds": 0,
            "wayback": {"enabled": True, "endpoint": "http://x.example/"},
        },
        "executor": {"kind": "serial"},
    }
    (folder / "newsledger.yaml").write_text(yaml.safe_dump(values), "utf-8")
    settings = load_settings(folder / "newsledger.yaml")
    definitions = build_definitions(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        assert definitions.resolve_job_def("refresh").execute_in_process(instance=instance).success
    return settings, definitions


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def run(definitions: dg.Definitions, instance: dg.DagsterInstance, config: object) -> dg.ExecuteInProcessResult:
    return definitions.resolve_job_def("check_links").execute_in_process(
        instance=instance,
        raise_on_error=False,
        run_config={
            "ops": {"links": {"config": config}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
    )


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({"source": "north"}, {NORTH, PICTURE}),
        ({"outlet": "North.example"}, {NORTH, PICTURE}),
        ({"outlet": "www.north.example"}, {NORTH}),
        ({"role": "image"}, {PICTURE}),
        ({"state": "failing"}, {GONE}),
        ({"urls": [SOUTH, WRITTEN]}, {SOUTH, "https://south.example/c"}),
        ({"source": "south", "role": "web", "state": "alive", "outlet": "south.example"}, {SOUTH}),
    ],
)
def test_only_what_is_chosen_is_asked_and_the_rest_is_left_as_it_was(
    definitions: tuple[Settings, dg.Definitions], instance: dg.DagsterInstance, config: object, asked: set[str]
) -> None:
    """Though nothing is due; what was seen is published, and the night adds up."""
    settings, made = definitions
    before = read_file(settings.warehouse_file)
    result = run(made, instance, config)
    assert result.success
    after = read_file(settings.warehouse_file)
    assert after != before
    rows = query(after, "select fetch_url, kind from links.checks join coverage.urls using (url_id) where refresh_id ="
                 " (select max(refresh_id) from ops.refreshes)")  # fmt: skip
    assert {row["fetch_url"] for row in rows.to_pylist()} == asked
    assert {row["kind"] for row in rows.to_pylist()} == {"request"}, "none postponed, no archive asked"
    last = query(
        after, "select urls_due, urls_checked, urls_postponed from ops.refreshes order by started_at desc limit 1"
    )
    assert [*last.to_pylist()[0].values()] == [len(asked), len(asked), 0]
    states = "select url_id, state, strikes from links.states order by url_id"
    assert query(after, states) == query(before, states)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"source": "west"}, "source west: no such source; the settings name north, south"),
        (
            {"urls": ["https://else.example/", NORTH]},
            "1 of the URLs stand in no current file of the archive (https://else",
        ),
        ({"outlet": "else.example"}, "no link of the archive is chosen by {'outlet': 'else.example'}"),
        ({"state": "asleep"}, "asleep"),
        ({"sorce": "north"}, "sorce"),
    ],
)
def test_a_choice_that_is_none_stops_the_run(
    definitions: tuple[Settings, dg.Definitions], instance: dg.DagsterInstance, config: object, told: str
) -> None:
    settings, made = definitions
    before = read_file(settings.warehouse_file)
    try:
        result = run(made, instance, config)
    except dg.DagsterInvalidConfigError as error:
        assert told in str(error)  # noqa: PT017 (or the run fails, below)
        return
    assert not result.success
    failures = {dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.STEP_FAILURE}
    words = [str(record.dagster_event and record.dagster_event.event_specific_data)
             for record in instance.all_logs(result.run_id, of_type=failures)]  # fmt: skip
    assert told in "\n".join(words)
    assert read_file(settings.warehouse_file) == before


def test_the_sweep_knows_of_the_chosen_what_it_knows_of_the_due(definitions: tuple[Settings, dg.Definitions]) -> None:
    """Whether they were alive and what their page said: the breaker and the doubt of a sold domain need it."""
    settings, _ = definitions
    with begin_refresh(settings, "a look", str(datetime.now(UTC) + timedelta(days=2))) as refresh:
        chosen = {link.fetch_url: link for link in chosen_tonight(refresh, ChosenLinks(urls=[SOUTH, GONE]))}
    assert (chosen[SOUTH].was_alive, chosen[GONE].was_alive) == (True, False)
    assert (chosen[SOUTH].page_title, chosen[GONE].page_title) == ("B", None)
