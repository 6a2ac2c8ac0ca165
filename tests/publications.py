"""A builder that publishes warehouse after warehouse until it is killed, and readers that ask until they are told to
stop: processes of their own, for the test of publication."""

import os
import time
from collections.abc import Mapping
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.lake.relations import relations
from pipeline.lake.snapshots import TableFile
from pipeline.settings import Warehouse
from pipeline.warehouse import build_warehouse, publish_warehouse

for _schema in ("coverage", "macros"):
    relations(_schema)  # read once, before processes are forked from the one that imports this

KEEP = 3
ROWS = 40
_ID = "00000000-0000-0000-0000-000000000000"
_STATE = """
select
    (select count(*) from coverage.leftovers) as leftovers,
    (select count(*) from coverage.story_topics) as story_topics,
    (select min(value::int) from coverage.leftovers) as least,
    (select max(value::int) from coverage.leftovers) as most,
    (select min(position) from coverage.story_topics) as least_position,
    (select max(position) from coverage.story_topics) as most_position
"""


def build_until_killed(folder: Path, first: int, told: Connection) -> None:
    """Publish number after number, from `first` on; tell each once it is published."""
    for number in count(first):
        publish_warehouse(build(folder, number), folder / "warehouse.duckdb", KEEP)
        told.send(number)


def build(folder: Path, number: int) -> Path:
    """A warehouse whose two tables have the number in every row."""
    rows = ROWS + number % 7
    inputs = folder / f"inputs-{os.getpid()}"
    inputs.mkdir(exist_ok=True)
    columns: Mapping[str, Mapping[str, list[object]]] = {
        "coverage.leftovers": {
            "version_id": [_ID] * rows,
            "pointer": [f"/{row}" for row in range(rows)],
            "value": [str(number)] * rows,
        },
        "coverage.story_topics": {"story_id": [_ID] * rows, "topic_id": [_ID] * rows, "position": [number] * rows},
    }
    tables = {}
    for name, values in columns.items():
        file = inputs / f"{name}.parquet"
        pq.write_table(pa.table(dict(values)), file)
        tables[name] = (TableFile(file.name, rows, 1, "made"), [file])
    return build_warehouse(folder / "warehouse", f"r{number:05}", tables, Warehouse())


def read_until_told(link: Path, questions: int, told: Connection) -> None:
    """Open the link, ask so many questions, close, and again; until a word comes. Send the numbers that were seen, in
    order, and what went wrong."""
    seen: list[int] = []
    wrong: list[str] = []
    asked = 0
    while not told.poll():
        try:
            with duckdb.connect(str(link), read_only=True) as connection:
                for _ in range(questions):
                    leftovers, topics, *numbers = connection.execute(_STATE).fetchall()[0]
                    asked += 1
                    if len(set(numbers)) != 1 or leftovers != topics or leftovers != ROWS + numbers[0] % 7:
                        wrong.append(f"mixed: {leftovers} {topics} {numbers}")
                    elif seen[-1:] != numbers[:1]:
                        seen.append(numbers[0])
        except duckdb.Error as error:
            wrong.append(str(error))
        time.sleep(0.02)  # two cores are shared with who builds
    told.send((asked, seen, wrong))
