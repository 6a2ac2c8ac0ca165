"""`newsledger sql` at a real terminal: what a person types, and what they see."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from pipeline.prompt import CatalogCompleter
from pipeline.warehouse import Conversation, publish_warehouse
from tests.tables import Row, uid
from tests.warehouses import published

CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r")
TABLES: dict[str, list[Row]] = {
    "coverage.stories": [{"story_id": uid(n), "path": f"_news/{n}.md"} for n in range(3)],
    "coverage.outlets": [{"outlet_id": uid(1), "domain": "harbor.example", "name": "Harbor [b]Post"}],
    "coverage.articles": [],
}


@dataclass(slots=True)
class Terminal:
    """A pseudo-terminal with the prompt in it."""

    master: int
    process: subprocess.Popen[bytes]
    seen: str = ""
    at: int = field(default=0)

    def type(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def until(self, words: str, seconds: float = 30) -> str:
        """What came since the last look, up to these words."""
        end = time.monotonic() + seconds
        while words not in self.seen[self.at :]:
            assert time.monotonic() < end, f"no {words!r} in {self.seen[self.at :]!r}"
            if select.select([self.master], [], [], 0.2)[0]:
                try:
                    self.seen += CONTROL.sub("", os.read(self.master, 65536).decode())
                except OSError:  # the program is gone
                    assert words in self.seen[self.at :], self.seen[self.at :]
        found = self.seen.index(words, self.at) + len(words)
        told, self.at = self.seen[self.at : found], found
        return told


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    published(TABLES, tmp_path)
    return tmp_path


@pytest.fixture
def config(write_settings: Callable[..., Path], warehouse: Path) -> Path:
    return write_settings(warehouse, data_dir=str(warehouse))


@contextmanager
def prompt(config: Path, state: Path) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    variables = {"XDG_STATE_HOME": str(state), "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "sql", "--config", str(config)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | variables,
        start_new_session=True,
    )
    os.close(slave)
    terminal = Terminal(master, process)
    try:
        terminal.until("Ctrl-D ends.")
        terminal.until("sql>")
        yield terminal
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_person_asks_and_is_answered(config: Path, tmp_path: Path) -> None:
    """Over several lines until the semicolon; an error is told and the prompt goes on; what was typed is remembered."""
    with prompt(config, tmp_path / "state") as terminal:
        terminal.type("select count(*) as stories\r")
        terminal.until("...>")
        terminal.type("from coverage.stories;\r")
        assert "3" in terminal.until("1 row")

        terminal.type("select * from nowhere;\r")
        terminal.until("nowhere does not exist")
        terminal.type("delete from coverage.stories;\r")
        terminal.until("read-only")
        terminal.type("select name from coverage.outlets; select 41 + 1 as answer;\r")
        terminal.until("Harbor [b]Post")
        terminal.until("42")

        terminal.type("select 'dropped'")
        terminal.type("\x03")
        terminal.until("sql>")
        terminal.type("select count(*) from coverage.sto\t")
        terminal.until("coverage.stories")
        terminal.type(";\r")
        terminal.until("1 row")

        terminal.type("from range(1000000);\r")
        terminal.until("the first 200 rows; there are more")
        terminal.until("sql>")
        terminal.type("\x04")
        assert terminal.process.wait(20) == 0

    history = tmp_path / "state" / "newsledger" / "sql_history"
    assert history.stat().st_mode & 0o077 == 0
    with prompt(config, tmp_path / "state") as terminal:
        terminal.type("\x1b[A\r")
        terminal.until("the first 200 rows")


def test_a_long_query_is_dropped_and_a_new_warehouse_is_followed(config: Path, warehouse: Path) -> None:
    with prompt(config, warehouse / "state") as terminal:
        terminal.type("select sum(a.range * b.range) from range(1000000) a, range(1000000) b;\r")
        time.sleep(1)
        os.killpg(terminal.process.pid, signal.SIGINT)
        terminal.until("nterrupt")
        terminal.type("select 'still' || 'here';\r")
        terminal.until("stillhere")

        another = warehouse / "another"
        another.mkdir()
        built = published(TABLES | {"coverage.stories": []}, another)
        built.chmod(0o644)
        place = built.rename(warehouse / "warehouse" / "r2.duckdb.building")
        publish_warehouse(place, warehouse / "warehouse.duckdb", 3)
        terminal.type("select count(*) + 70 as stories from coverage.stories;\r")
        terminal.until("a new warehouse was published")
        terminal.until("70")


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("select * from cov", "coverage.articles"),
        ("select * from sto", "coverage.stories"),
        ("select * from coverage.sto", "stories"),
        ("select * from coverage.stories as s where s.pa", "path"),
        ("select * from coverage.stories where stories.pa", "path"),
        ("select * from coverage.stories where pa", "path"),
        ("select * from sear", "search("),
        ("sel", "select"),
    ],
)
def test_what_can_be_meant_is_offered(warehouse: Path, typed: str, first: str) -> None:
    conversation, completer = Conversation(warehouse / "warehouse.duckdb"), CatalogCompleter()
    conversation.follow()
    completer.learn(conversation)
    conversation.close()
    offered = [one.text for one in completer.get_completions(Document(typed), CompleteEvent())]
    assert first in offered[:3]


def test_a_statement_through_a_pipe_is_asked_once(config: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", "sql", "--config", str(config), "-f", "csv"],
        input="select count(*) as stories from coverage.stories",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ['"stories"', "3"]
