"""`newsledger refresh` and the commands around it, with the lake in a folder and in an S3 bucket: the same rows, over
two nights of links, one of nothing, a change, a history taken in and a publication taken back."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

from tests.integration.test_links_commands import HOSTS, OLD, write_machine
from tests.lakes import ARTICLE
from tests.repositories import Origin
from tests.stores import KEYS, Store, serve_store

KINDS = ("folder", "store")
VOLATILE = {
    *("refresh_id", "run_id", "check_id", "check_ids"),
    *("started_at", "checked_at", "dns_ms", "connect_ms", "tls_ms", "first_byte_ms", "total_ms"),
    *("seconds", "least_gap_seconds", "least_gap_domain"),
}
"""Columns that tell of one run: its ids, and how long something took."""
RUN = """
import json, sys
from pathlib import Path
from typer.testing import CliRunner
from pipeline.cli import app

told = []
for line in json.loads(sys.argv[1]):
    if line[0] == "write":
        Path(line[1]).write_text(line[2], "utf-8")
        continue
    done = CliRunner().invoke(app, line)
    told.append([line[0], done.exit_code, done.stdout, done.stderr])
print(json.dumps(told))
"""
"""Commands one after the other, and files that change between them."""


@dataclass(frozen=True, slots=True)
class Nights:
    """A machine after its nights: its folder, and what each command said."""

    folder: Path
    told: list[tuple[str, int, str, str]]

    def published(self) -> list[Path]:
        return sorted((self.folder / "data" / "warehouse").glob("*.duckdb"))

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Every table of the published warehouse, without what no two runs have alike."""
        with duckdb.connect(str(self.published()[-1]), read_only=True) as connection:
            columns: dict[str, list[str]] = {}
            for table, column in connection.execute(
                "select schema_name || '.' || table_name, column_name from duckdb_columns() where not internal"
            ).fetchall():
                columns.setdefault(table, []).append(column)
            kept = {table: [f'"{c}"' for c in names if c not in VOLATILE] for table, names in sorted(columns.items())}
            return {
                table: connection.execute(f"select {', '.join(names)} from {table} order by all").fetchall()
                for table, names in kept.items()
            }

    def said(self, command: str) -> list[tuple[int, list[str]]]:
        """What a command said each time, without paths and how long something took."""
        return [
            (
                code,
                [
                    re.sub(r"\d+\.\d+ s|\d+ ms", "…", line)
                    for line in out.splitlines()
                    if "/folder/" not in line and "/store/" not in line
                ],
            )
            for name, code, out, _ in self.told
            if name == command
        ]


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with serve_store() as store:
        store.client().create_bucket(Bucket="lake")
        yield store


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory, server: Store) -> dict[str, Nights]:
    """The same nights with the lake in a folder and in the store, side by side."""
    origin = Origin.made(tmp_path_factory.mktemp("origin") / "past.git")
    origin.commits(
        (1_700_000_000 + number, {"_news/x.md": ARTICLE.format(title=title, name="x", quality=number)})
        for number, title in enumerate(("First", "Second", "Third"))
    )
    processes = {}
    for kind in KINDS:
        folder = tmp_path_factory.mktemp("machine") / kind
        lake = {"url": "s3://lake/of/ours", "options": {"endpoint": server.endpoint, "allow_http": True}}
        past = {"name": "past", "git": str(origin.folder)}
        config = write_machine(folder, past, **({"lake": lake} if kind == "store" else {}))
        web = HOSTS | {"web-form.example": {"paths": {"/x": {"status": 410}}}}
        commands: list[list[str]] = [
            ["refresh", "-c", str(config), "--now", "2027-03-01T02:00:00Z"],
            ["refresh", "-c", str(config), "--now", "2027-03-02T02:00:00Z"],
            ["write", str(folder / "web.yaml"), yaml.safe_dump({"hosts": web})],
            ["write", str(folder / "site" / "_news" / "new.md"), ARTICLE.format(title="New", name="new", quality=3)],
            ["backfill", "past", "-c", str(config), "--now", "2027-03-10T01:00:00Z"],
            ["refresh", "-c", str(config), "--now", "2027-03-20T02:00:00Z"],
            ["links", "plan", "-c", str(config), "--now", "2027-04-20T02:00:00Z"],
            ["links", "check", OLD, "-c", str(config)],
            ["doctor", "-c", str(config)],
            ["rollback", "-c", str(config)],
        ]
        processes[kind] = (
            folder,
            subprocess.Popen(
                [sys.executable, "-c", RUN, json.dumps(commands)],
                env=os.environ | KEYS | {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "200"},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ),
        )
    made = {}
    for kind, (folder, process) in processes.items():
        out, error = process.communicate(timeout=500)
        assert process.returncode == 0, error
        made[kind] = Nights(folder, [tuple(line) for line in json.loads(out.splitlines()[-1])])
    return made


@pytest.mark.timeout(600)
def test_every_command_says_the_same(nights: dict[str, Nights]) -> None:
    for name, code, out, error in nights["store"].told:
        assert code == 0 or name in ("links", "doctor"), (name, out, error)
    for command in ("refresh", "backfill", "links", "rollback"):
        assert nights["store"].said(command) == nights["folder"].said(command)
    assert "s3://lake/of/ours can be read and written to" in next(
        out for name, _, out, _ in nights["store"].told if name == "doctor"
    )
    link = nights["store"].folder / "data" / "warehouse.duckdb"
    assert link.resolve() == nights["store"].published()[-2]


def test_every_table_holds_the_same_rows(nights: dict[str, Nights]) -> None:
    store, folder = (nights[kind].rows() for kind in ("store", "folder"))
    assert store.keys() == folder.keys()
    assert [name for name in store if store[name] != folder[name]] == []
    for name in ("links.checks", "links.verdicts", "links.states", "links.remedies", "coverage.heat_history"):
        assert store[name], name


def test_nothing_of_the_lake_lies_below_data_dir_but_what_may_go(nights: dict[str, Nights], server: Store) -> None:
    data = nights["store"].folder / "data"
    assert not (data / "lake").exists()
    assert {entry.name for entry in data.iterdir()} <= {
        *("cache", "scratch", "spool", "sources", "alerts"),
        *("warehouse", "warehouse.duckdb", "report", "dagster", "refresh.lock"),
    }
    listed = server.client().list_objects_v2(Bucket="lake", Prefix="of/ours/")["Contents"]
    assert {entry["Key"].split("/")[2] for entry in listed} == {"log", "tables"}
