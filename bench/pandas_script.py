"""The script that one would write: front matter by PyYAML, tables by pandas, kept in DuckDB.

`python bench/pandas_script.py FOLDER DATABASE` prints JSON. It knows nothing of Newsledger, and runs in an environment
of its own (`TEST_DBT`, see tests/dbt).
"""

import json
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import yaml


def main(folder: Path, database: Path) -> None:
    start = time.perf_counter()
    records = []
    for file in sorted(folder.rglob("*.md")):
        front = yaml.safe_load(file.read_text("utf-8").split("---\n", 2)[1])
        records.append({"path": str(file.relative_to(folder)), **front})
    parsed = time.perf_counter()
    stories = pd.json_normalize(records).drop(columns="related", errors="ignore")
    listed = [{"path": record["path"], "item": item} for record in records for item in record.get("related") or ()]
    related = pd.json_normalize(listed).rename(columns=lambda name: name.removeprefix("item."))
    articles = pd.concat([stories, related])[["webUrl", "title", "provider.domain"]].drop_duplicates("webUrl")
    with duckdb.connect(str(database)) as connection:
        for name, frame in (("stories", stories), ("related", related), ("articles", articles)):
            connection.register("frame", frame)
            connection.execute(f"create table {name} as select * from frame")
            connection.unregister("frame")
        counts = [
            connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in ("stories", "related")
        ]
    end = time.perf_counter()
    told = dict(zip(("stories", "related"), counts, strict=True))
    version = f"PyYAML {yaml.__version__} and pandas {pd.__version__}"
    print(json.dumps({"name": version, "parse_seconds": parsed - start, "seconds": end - start} | told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
