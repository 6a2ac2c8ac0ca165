"""Every recipe of the docs, as it stands, on the sample: Python and the shell, DuckDB 2.0 and 1.5, dbt where it is."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest

from tests.sample import first_night

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
CHAPTERS = dict(re.findall(r"^## (.*)\n((?:.*\n)*?)(?=## |\Z)", PAGE, re.MULTILINE))
DBT = "TEST_DBT"
"""The environment variable that names the `dbt` of an environment of its own; see tests/dbt."""


def blocks(title: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", CHAPTERS[title], re.DOTALL)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `data/sample` in it."""
    folder = tmp_path_factory.mktemp("recipes")
    first_night(folder / "data" / "sample")
    return folder


@pytest.fixture
def here(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(sample)
    return sample


@pytest.fixture
def asked(here: Path) -> Callable[[str], object]:
    """What DuckDB itself answers: one value."""

    def ask(sql: str) -> object:
        with duckdb.connect("data/sample/warehouse.duckdb", read_only=True) as connection:
            return connection.execute(sql).fetchall()[0][0]

    return ask


def run(title: str) -> dict[str, object]:
    """The names that the one block of Python leaves."""
    (block,) = blocks(title, "python")
    left: dict[str, object] = {}
    exec(block, left)
    return left


def shell(command: str, program: str = "duckdb") -> str:
    """What the program printed, in a shell that finds it."""
    paths = [str(BIN), os.environ["PATH"]]
    if program == "dbt":
        paths.insert(0, str(Path(os.environ[DBT]).parent))
    done = subprocess.run(
        ["sh", "-ec", command],
        env=os.environ
        | {"PATH": os.pathsep.join(paths), "NEWSLEDGER_DATA_DIR": str(Path("data/sample").absolute())}
        | {"NEWSLEDGER_CONFIG": str(ROOT / "seeds" / "newsledger.yaml"), "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_recipe_has_a_test() -> None:
    chapters = {title for title, text in CHAPTERS.items() if "```" in text}
    assert chapters == {
        *("Python", "pandas", "polars", "Arrow", "The DuckDB command line", "A database of your own beside it"),
        *("dbt", "Parquet, without any of this", "Files for others"),
    }


def test_python(here: Path) -> None:
    worst = run("Python")["worst"]
    assert isinstance(worst, list)
    assert len(worst) == 5
    assert worst[0][1] > 1


@pytest.mark.skipif(DBT not in os.environ, reason=f"{DBT} names no environment with pandas: `.ci/run` makes one")
def test_pandas(here: Path, asked: Callable[[str], object]) -> None:
    (block,) = blocks("pandas", "python")
    python = Path(os.environ[DBT]).parent / "python"
    told = subprocess.run(
        [python, "-c", f"{block}\nprint(len(articles), by_month.notna().sum())"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    articles, months = map(int, told.stdout.split())
    assert articles == asked("select count(*) from coverage.articles")
    assert months > 3


def test_polars(here: Path, asked: Callable[[str], object]) -> None:
    busiest = run("polars")["busiest"]
    assert isinstance(busiest, pl.DataFrame)
    most = "select sum(stories) from reports.topic_weeks group by topic order by 1 desc"
    assert busiest["stories"][0] == asked(most)


def test_arrow(here: Path, asked: Callable[[str], object]) -> None:
    left = run("Arrow")
    assert left["stories"].num_rows == asked("select count(*) from coverage.stories")  # type: ignore[attr-defined]
    assert left["mentions"] == asked("select count(*) from coverage.mentions")


def test_the_command_line_of_duckdb_1_5(here: Path, asked: Callable[[str], object]) -> None:
    (block,) = blocks("The DuckDB command line", "sh")
    printed = shell(block)
    assert "_news/" in printed
    assert '"relation":"reports.dead_links"' in printed
    assert len(Path("tidal.csv").read_text("utf-8").splitlines()) > 1
    assert shell("duckdb --version").startswith("v1.5.")


def test_a_database_beside_it(here: Path, asked: Callable[[str], object]) -> None:
    run("A database of your own beside it")
    with duckdb.connect("mine.duckdb") as mine:
        kept = mine.execute("select count(*) from followed").fetchall()[0][0]
    Path("mine.duckdb").unlink()
    assert kept == asked("select count(*) from reports.leaders_and_followers where stories_led > 1") > 0


def test_what_the_recipe_for_dbeaver_says_is_so(here: Path) -> None:
    """There is no DBeaver here: the path that its URL ends in, the schemas, the comments, an old client read-only."""
    text = CHAPTERS["DBeaver"]
    assert re.search(r"`jdbc:duckdb:/[^`]*/data/sample/warehouse\.duckdb`", text)
    assert "`duckdb.read_only` = `true`" in text
    question = "select distinct schema_name from duckdb_tables() where comment is not null order by all"
    schemas = shell(f'duckdb -readonly -csv -noheader data/sample/warehouse.duckdb "{question}"').split()
    assert schemas == sorted(re.findall(r"`(coverage|links|reports|ops)`", text))
    refused = "duckdb -readonly data/sample/warehouse.duckdb 'drop table coverage.stories' 2>&1 || true"
    assert "read-only" in shell(refused)


def test_dbt(here: Path, tmp_path: Path, asked: Callable[[str], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads the warehouse as a source, tests it, and builds into a database of its own."""
    if DBT not in os.environ:
        pytest.skip(f"{DBT} names no dbt: `.ci/run` makes an environment of tests/dbt/requirements.lock")
    files = re.findall(r"^`([\w./]+)`:\n\n```\w+\n(.*?)```", CHAPTERS["dbt"], re.DOTALL | re.MULTILINE)
    assert len(files) == 4
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "data").symlink_to(here / "data")
    monkeypatch.chdir(tmp_path)
    (command,) = blocks("dbt", "sh")
    assert "PASS=2" in shell(f"DBT_SEND_ANONYMOUS_USAGE_STATS=false {command}", "dbt")
    with duckdb.connect("mine.duckdb", read_only=True) as mine:
        built = mine.execute("select sum(links) from links_to_mend").fetchall()[0][0]
    assert built == asked("select count(*) from reports.dead_links") > 0


def test_parquet_alone(here: Path, asked: Callable[[str], object]) -> None:
    stories = run("Parquet, without any of this")["stories"]
    (block,) = blocks("Parquet, without any of this", "sh")
    expected = asked("select count(*) from coverage.stories")
    assert stories.num_rows == expected  # type: ignore[attr-defined]
    assert str(expected) in shell(block)


def test_an_export(here: Path) -> None:
    (block,) = blocks("Files for others", "sh")
    assert "handed-out" in shell(block)
    book = openpyxl.load_workbook("handed-out/newsledger.xlsx", read_only=True)
    assert {"dead_links", "stories"} <= set(book.sheetnames)
    shutil.rmtree("handed-out")
