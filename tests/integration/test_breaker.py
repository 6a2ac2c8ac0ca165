"""Our own network fails: the sweep stops, the night is void, content is published, and no link is called broken."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest

from pipeline.definitions import build_definitions
from pipeline.errors import SettingsError
from pipeline.links import DueUrl, Sweep
from pipeline.links.breaker import LEAST_HOSTS
from pipeline.printing import print_status
from pipeline.rehearsal import Web, rehearse
from pipeline.settings import Settings, load_settings
from pipeline.warehouse import query, read_file
from tests.conftest import ROOT
from tests.hostile_web.night import LINKS, due_url, planned, sweep_night

HOSTS = 2 * LEAST_HOSTS
WEB = Web.model_validate(
    {
        "hosts": {f"alive{number}.example": {"otherwise": {"status": 200}} for number in range(HOSTS)}
        | {f"refusing{number}.example": {"connect": "refused"} for number in range(HOSTS)}
    }
)


@pytest.fixture(scope="module")
def plan() -> Iterator[Sweep]:
    with rehearse(WEB) as running:
        yield planned(running.links(LINKS))


def known(*hosts: str) -> list[DueUrl]:
    """A URL of each host, alive when last asked."""
    return [replace(due_url(f"http://{host}.example/page"), was_alive=True) for host in hosts]


def controlled(plan: Sweep, *hosts: str) -> Sweep:
    return replace(plan, controls=tuple(due_url(f"http://{host}.example/") for host in hosts))


def test_controls_are_asked_first_and_are_not_counted(plan: Sweep) -> None:
    due = known("alive1", "alive2")
    night = sweep_night(due, controlled(plan, "alive3", "alive4"))
    assert (night.result.due, night.result.checked, night.result.void_reason) == (2, 2, None)
    rows = sorted(night.checks.to_pylist(), key=lambda row: row["started_at"])
    assert [row["kind"] for row in rows] == ["control", "control", "request", "request"]
    assert {row["verdict"] for row in night.verdicts().values()} == {"alive"}, "and a control has no verdict"


@pytest.mark.parametrize(
    ("controls", "is_void"),
    [
        (("refusing1",), True),
        (("refusing1", "nowhere"), True),
        (("refusing1", "alive1"), False),
        (("refusing1", "nowhere", "alive1"), True),
        (("refusing1", "alive2", "alive1"), False),
    ],
)
def test_the_night_is_void_where_most_controls_give_no_answer(
    plan: Sweep, controls: tuple[str, ...], is_void: bool
) -> None:
    due = known("alive7", "alive8", "alive9")
    night = sweep_night(due, controlled(plan, *controls))
    assert (night.result.void_reason is not None) is is_void
    if is_void:
        assert "http://refusing1.example/ (connect_refused)" in str(night.result.void_reason)
        assert (night.result.checked, night.result.postponed_by_reason) == (0, {"breaker": 3})
        kinds = night.checks["kind"].to_pylist()
        assert kinds.count("postponed") == 3
        assert "request" not in kinds, "no due URL was asked"


def test_a_control_that_answers_anything_is_up(plan: Sweep) -> None:
    """A door that is shut is a door: its network works."""
    web = Web.model_validate({"hosts": {"shut.example": {"otherwise": {"status": 403}}, "a.example": {}}})
    with rehearse(web) as running:
        night = sweep_night(known("a"), controlled(planned(running.links(LINKS)), "shut"))
    assert night.result.void_reason is None


def test_without_anything_due_no_control_is_asked(plan: Sweep) -> None:
    assert sweep_night([], controlled(plan, "alive1")).checks.num_rows == 0


def test_a_jump_of_failures_among_hosts_that_were_alive_voids_the_night(plan: Sweep) -> None:
    due = known(*(f"{what}{number}" for number in range(HOSTS) for what in ("alive", "refusing")))
    night = sweep_night(due, replace(plan, concurrency=8))
    result = night.result
    assert "hosts that were alive when last asked gave no answer" in str(result.void_reason)
    assert result.postponed_by_reason["breaker"] > 0
    assert result.checked + result.postponed == result.due == len(due)
    settled = {row["url_id"] for row in night.checks.to_pylist()}
    assert settled == {url.url_id for url in due}, "what was seen is kept, the rest has its row"


def test_hosts_that_die_as_hosts_do_void_nothing(plan: Sweep) -> None:
    dead = [f"refusing{number}" for number in range(HOSTS // 4)]
    night = sweep_night(known(*dead, *(f"alive{number}" for number in range(HOSTS))), plan)
    assert (night.result.void_reason, night.result.checked) == (None, HOSTS + HOSTS // 4)


def test_links_known_to_be_dead_are_no_sign_of_an_outage(plan: Sweep) -> None:
    due = [due_url(f"http://refusing{number}.example/page") for number in range(HOSTS)]
    assert sweep_night(due, plan).result.void_reason is None


def test_few_hosts_say_nothing(plan: Sweep) -> None:
    night = sweep_night(known(*(f"refusing{number}" for number in range(LEAST_HOSTS - 1))), plan)
    assert night.result.void_reason is None


@pytest.mark.parametrize("url", ["ftp://a.example/", "a.example", "https://"])
def test_a_control_that_cannot_be_asked_is_refused(
    write_settings: Callable[..., Path], tmp_path: Path, url: str
) -> None:
    with pytest.raises(SettingsError, match="control_urls"):
        load_settings(write_settings(tmp_path, links={"control_urls": [url]}))


NIGHTS = ("2026-03-01", "2026-03-12")


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dg.ExecuteInProcessResult, list[pa.Table]]:
    """A night, and one in which every control fails: the settings, the run of the second, and the links after each."""
    folder = tmp_path_factory.mktemp("outage")
    told = []
    with dg.DagsterInstance.ephemeral() as instance:
        for night, control in zip(NIGHTS, ("images.northshorewire.example", "nowhere.example"), strict=True):
            links = {
                "rehearsal": ROOT / "seeds" / "web.yaml",
                "pace_seconds": 0,
                "control_urls": [f"http://{control}/"],
            }
            settings = Settings.model_validate(
                {
                    "data_dir": folder,
                    "sources": [{"name": "s", "path": ROOT / "seeds" / "site", "include": ["_news/2024-06-0*.md"]}],
                    "executor": {"kind": "serial"},
                    "links": links,
                }
            )
            job = build_definitions(settings).resolve_job_def("refresh")
            result = job.execute_in_process(
                instance=instance,
                run_config={
                    "resources": {"refresh": {"config": {"now": f"{night}T02:00:00Z"}}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )
            told.append(query(read_file(settings.warehouse_file), "from links.states order by url_id"))
    return settings, result, told


def test_a_void_night_publishes_content_and_changes_no_state(
    outage: tuple[Settings, dg.ExecuteInProcessResult, list[pa.Table]],
) -> None:
    settings, void, (first, second) = outage
    assert void.success
    assert second.equals(first)
    assert set(second["state"].to_pylist()) > {"alive"}
    first_night, second_night = query(
        read_file(settings.warehouse_file),
        "select outcome, urls_due, urls_checked, urls_postponed, void_reason from ops.refreshes order by night",
    ).to_pylist()
    assert first_night["void_reason"] is None
    assert second_night["outcome"] == "published"
    assert second_night["urls_checked"] == 0
    assert second_night["urls_postponed"] == second_night["urls_due"] > 0


def test_a_void_night_is_said_loudly(
    outage: tuple[Settings, dg.ExecuteInProcessResult, list[pa.Table]], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, void, _ = outage
    (check,) = [found for found in void.get_asset_check_evaluations() if found.check_name == "night_counts"]
    assert (check.passed, check.severity, check.blocking) == (False, dg.AssetCheckSeverity.ERROR, False)
    reason = "1 of 1 control URLs gave no answer: http://nowhere.example/ (dns_nxdomain)"
    assert check.description == reason
    page = settings.report_dir.joinpath("index.html").read_text("utf-8")
    assert f"The links of this night do not count: {reason}" in page
    print_status(settings, "newsledger", "")
    assert f"The links of this night do not count: {reason}." in capsys.readouterr().out
