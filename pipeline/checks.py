"""Asset checks made from `sql/checks`: each file returns the rows that offend, and says on which table, how severe.

Run inside the step that made the table, in its session, so a check costs its query and nothing more.
"""

from collections import defaultdict
from collections.abc import Iterable

import dagster as dg
import pyarrow as pa

from pipeline.lake.build import Builder
from pipeline.lake.relations import Relation, relations
from pipeline.previews import markdown_table

OFFENDERS_SHOWN = 20


def asset_key(full_name: str) -> dg.AssetKey:
    """`coverage.stories` → coverage/stories."""
    return dg.AssetKey(full_name.split("."))


def checks_on(schema: str) -> list[Relation]:
    """The checks on tables of the schema."""
    return [check for check in relations("checks") if check.tags["on"].startswith(f"{schema}.")]


def blocks(check: Relation) -> bool:
    """Whether nothing is published while the check fails."""
    return check.tags.get("blocking") == "yes"


def check_specs(schema: str) -> list[dg.AssetCheckSpec]:
    """One check spec for each check on a table of the schema."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=asset_key(check.tags["on"]),
            description=check.description,
            blocking=blocks(check),
            metadata={"sql": check.file, "severity": check.tags["severity"]},
        )
        for check in checks_on(schema)
    ]


def run_checks(builder: Builder, checks: Iterable[Relation]) -> dict[str, list[dg.AssetCheckResult]]:
    """The result of each check, by the table it is on."""
    results: dict[str, list[dg.AssetCheckResult]] = defaultdict(list)
    for check in checks:
        offenders = builder.answer(check)
        severity = dg.AssetCheckSeverity.WARN if check.tags["severity"] == "warn" else dg.AssetCheckSeverity.ERROR
        results[check.tags["on"]].append(
            dg.AssetCheckResult(
                passed=offenders.num_rows == 0,
                asset_key=asset_key(check.tags["on"]),
                check_name=check.name,
                severity=severity,
                description=check.tags["message"] if offenders.num_rows else None,
                metadata={
                    "offenders": offenders.num_rows,
                    "first_offenders": dg.MetadataValue.md(_shown(offenders.slice(0, OFFENDERS_SHOWN))),
                    "sql": check.file,
                },
            )
        )
    return results


def _shown(rows: pa.Table) -> str:
    return markdown_table(rows.column_names, rows.to_pylist()) if rows.num_rows else "none"
