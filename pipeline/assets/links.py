"""The nightly sweep: what is due, the requests, the verdicts of the night and the states over nights."""

import logging
from collections.abc import Iterator, Mapping

import dagster as dg

from pipeline.assets.archive import look_for_copies
from pipeline.assets.choosing import ChosenLinks, chosen_links, due_links
from pipeline.assets.resources import refresh_of
from pipeline.assets.tables import OWNERS, built_results, freshness, log_schema, log_size, table_specs
from pipeline.checks import asset_key, check_specs, checks_on, run_checks
from pipeline.executors import open_workers
from pipeline.lake.build import Builder
from pipeline.lake.refresh import Refresh
from pipeline.lake.spool import Spool
from pipeline.links import DueUrl, Lookups, SweepResult, plan_sweep, sweep_to_log
from pipeline.model.logs import LINK_CHECKS
from pipeline.rehearsal import rehearsed
from pipeline.settings import Settings
from pipeline.terminal import progress_bar
from pipeline.warehouse.sweep_summary import SUMMARY, summarise

SWEEP_KEY = dg.AssetKey(["log", "link_checks"])
LOGGER = logging.getLogger("newsledger.links")


def links_assets(settings: Settings) -> dg.AssetsDefinition:
    """The sweep and every table of the schema `links`, as one step."""
    sweep_spec = dg.AssetSpec(
        SWEEP_KEY,
        deps=[asset_key("coverage.urls")],
        description="The append-only log of link checks: one row for each request made, or for each due URL settled"
        " without one.",
        group_name="links",
        kinds={"deltalake"},
        owners=OWNERS,
        metadata={"dagster/column_schema": log_schema(LINK_CHECKS)},
        freshness_policy=freshness(settings.schedule),
    )
    completed = dg.AssetCheckSpec(
        "sweep_completed",
        asset=SWEEP_KEY,
        description="The sweep ran to its end. When it did not, content is published all the same.",
    )
    counts = dg.AssetCheckSpec(
        "night_counts",
        asset=SWEEP_KEY,
        description="Our own network was up. When it was not, the night is void: what it observed is kept, and no link"
        " is judged by it.",
    )

    @dg.multi_asset(
        name="links",
        specs=[
            sweep_spec,
            *table_specs("links", {"duckdb", "parquet"}, {"log.link_checks": [SWEEP_KEY], "log.refreshes": []}),
        ],
        check_specs=[completed, counts, *check_specs("links")],
        required_resource_keys={"refresh"},
    )
    def links(context: dg.AssetExecutionContext, config: ChosenLinks) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        refresh = refresh_of(context)
        failure = None
        result = copies = None
        chosen = None if config.is_everything else chosen_tonight(refresh, config)
        if refresh.settings.links.enabled:
            try:
                result = ask(refresh, due_tonight(refresh) if chosen is None else chosen)
            except Exception as error:
                LOGGER.exception("the sweep failed; what it observed is kept, the rest is due again")
                failure = f"{type(error).__name__}: {error}"
            copies = look_for_copies(refresh) if chosen is None else None
        with refresh.session() as session:
            builder = refresh.builder(session)
            built = builder.build("links", checks_on("links"))
            checked = run_checks(builder, checks_on("links"))
            summary = _summary(builder) if result else {}
        yield dg.MaterializeResult(
            asset_key=SWEEP_KEY,
            metadata=_counts(refresh, result) | _copies(copies) | summary,
            check_results=[
                dg.AssetCheckResult(
                    passed=problem is None,
                    asset_key=SWEEP_KEY,
                    check_name=check,
                    severity=dg.AssetCheckSeverity.ERROR,
                    description=problem,
                )
                for check, problem in (
                    ("sweep_completed", failure),
                    ("night_counts", result.void_reason if result else None),
                )
            ],
        )
        yield from built_results(refresh, built, checked)

    return links


def due_tonight(refresh: Refresh) -> list[DueUrl]:
    """The URLs to ask tonight, first things first."""
    Spool.commit_all(refresh.logs.link_checks)  # what a sweep observed that was killed: it is not due again
    with refresh.session() as session:
        return due_links(refresh.builder(session))


def chosen_tonight(refresh: Refresh, wanted: ChosenLinks) -> list[DueUrl]:
    """The links that a person chose for this run. Raises QueryError where that is none."""
    Spool.commit_all(refresh.logs.link_checks)
    with refresh.session() as session:
        sources = [source.name for source in refresh.settings.sources]
        return chosen_links(refresh.builder(session), wanted, sources)


def ask(refresh: Refresh, due: list[DueUrl]) -> SweepResult:
    """Ask them, by the rules of the settings, through the rehearsal web where the settings name one."""
    with rehearsed(refresh.settings.links) as rules:
        if rules.rehearsal is not None:
            LOGGER.warning("a rehearsal web answers for every host: these are not observations of the world")
        plan = plan_sweep(rules, night=refresh.night, refresh_id=refresh.refresh_id, now=refresh.clock.now)
        with open_workers(refresh.settings.executor) as workers, progress_bar("asking links") as progress:
            result = sweep_to_log(due, plan, refresh.logs.link_checks, workers, progress)
    refresh.record(
        "swept",
        urls_due=result.due,
        urls_checked=result.checked,
        urls_postponed=result.postponed,
        void_reason=result.void_reason,
        pace_seconds=rules.pace_seconds,
    )
    if result.void_reason is not None:
        LOGGER.error("the links of this night do not count: %s", result.void_reason)
    return result


def _counts(refresh: Refresh, result: SweepResult | None) -> dict[str, bool | int | dg.MetadataValue]:
    if result is None:
        return {"swept": False}
    return {
        "swept": True,
        "urls_due": result.due,
        "urls_checked": result.checked,
        "urls_postponed": result.postponed,
        "rehearsal": refresh.settings.links.rehearsal is not None,
        **log_size(refresh.logs.link_checks),
    }


def _copies(lookups: Lookups | None) -> dict[str, bool | int | dg.MetadataValue]:
    if lookups is None:
        return {}
    return {"copies_asked_for": lookups.asked, "copies_found": lookups.found, "copies_failed": lookups.failed}


def _summary(builder: Builder) -> dict[str, bool | int | dg.MetadataValue]:
    """What the UI shows of the sweep beside its counts."""
    builder.need("links.checks")
    builder.need("links.verdicts")
    summary = summarise(builder.session.run(SUMMARY, {"refresh_id": builder.refresh_id}))
    hosts = {f"`{host}`": f"{ms:,.0f} ms, {requests:,} requests" for host, (requests, ms) in summary.slowest.items()}
    tables: dict[str, Mapping[str, object]] = {
        "by_verdict": summary.verdicts,
        "by_error": summary.errors,
        "slowest_hosts": hosts,
    }
    return {
        name: dg.MetadataValue.md("\n".join(["| | |", "|---|--:|", *(f"| {key} | {of[key]} |" for key in of)]))
        for name, of in tables.items()
        if of
    }
