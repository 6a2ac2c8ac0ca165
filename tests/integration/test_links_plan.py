"""`newsledger links plan` tells what a sweep would ask, and the sweep does what was told."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.assets.links import due_tonight
from pipeline.cli import app
from pipeline.errors import LakeError
from pipeline.lake.lock import hold_lock
from pipeline.lake.refresh import begin_refresh
from pipeline.links import within_budgets
from pipeline.links.plan import plan_sweep
from pipeline.planning import forecast
from pipeline.settings import DomainRule, Links, Settings
from tests.scripted_web import FIRST, Link, give_urls, links, run, settings_of

WEB = links()[:120]
NOW = f"{FIRST + timedelta(9)}T02:00:00Z"
RULES = Links(
    pace_seconds=2,
    nightly_budget=20,
    domain_budget=3,
    per_domain={"host1.example": DomainRule(skip=True), "host2.example": DomainRule(pace_seconds=40)},
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings over a lake in which nothing was asked yet."""
    folder = tmp_path_factory.mktemp("plan")
    give_urls(folder, WEB)
    settings = settings_of(folder).model_copy(update={"links": RULES})
    with begin_refresh(settings, "one", f"{FIRST}T02:00:00Z") as refresh:
        due_tonight(refresh)
    return settings


def test_the_plan_is_what_the_budgets_admit(settings: Settings) -> None:
    told = forecast(settings, NOW)
    with begin_refresh(settings, "two", NOW) as refresh:
        due = due_tonight(refresh)
        plan = plan_sweep(RULES, night=refresh.night, refresh_id="r", now=refresh.clock.now)
        admitted = within_budgets(due, plan)
    skipped = [url for url in admitted if url.domain == "host1.example"]
    assert (told.due, told.reasons) == (len(due), {"never_asked": 120})
    assert (told.asked, told.skipped) == (len(admitted) - len(skipped), len(skipped)) == (20, 3)
    assert told.over_domain_budget == 30, "one of the four of each host"
    assert told.asked + told.skipped + told.over_domain_budget + told.over_nightly_budget == told.due
    assert sum(share.asked for share in told.domains) == told.asked
    slow = next(share for share in told.domains if share.domain == "host2.example")
    assert slow.seconds == 40 * slow.asked
    assert told.seconds == max(share.seconds for share in told.domains)


def test_what_the_minutes_do_not_reach_is_told(settings: Settings) -> None:
    short = RULES.model_copy(update={"nightly_minutes": 0.05, "nightly_budget": 500})
    told = forecast(settings.model_copy(update={"links": short}), NOW)
    room = {"host2.example": 1}
    assert told.over_minutes == sum(max(0, share.asked - room.get(share.domain, 2)) for share in told.domains) > 0


def test_reasons_are_told_after_some_nights(tmp_path: Path) -> None:
    web: Sequence[Link] = WEB[:40]
    nights = list(run(tmp_path, web, 5))
    told = forecast(settings_of(tmp_path), f"{FIRST + timedelta(5)}T09:00:00Z")
    assert set(told.reasons) <= {"failing", "due_again"}
    assert told.due == sum(told.reasons.values())
    assert nights


def test_the_command_sends_nothing_and_needs_no_lock(settings: Settings, tmp_path: Path) -> None:
    config = tmp_path / "newsledger.yaml"
    config.write_text(
        f"data_dir: {settings.data_dir}\nsources: [{{name: none, path: {tmp_path}}}]\n"
        "links: {nightly_budget: 20, domain_budget: 3, pace_seconds: 2}\n",
        "utf-8",
    )
    with hold_lock(settings.lock_file, "a refresh"):
        done = CliRunner().invoke(app, ["links", "plan", "--config", str(config), "--now", NOW, "--domains", "2"])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[:4] == [
        f"night      {FIRST + timedelta(9)}: 120 links due (120 never asked)",
        "asked      20",
        "           30 over the budget of their domain",
        "           70 over the night's budget",
    ]
    assert lines[4].startswith("takes      ")
    assert "at least, the time of host" in lines[4]
    assert lines[-1] == "and 28 domains more"


def test_without_tables_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="run `newsledger refresh`"):
        forecast(settings_of(tmp_path), NOW)
