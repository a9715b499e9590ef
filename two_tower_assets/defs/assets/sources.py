"""Assets of the sources: the rows in the pipeline's Postgres, and snapshots of them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

import dagster as dg

from two_tower_assets.contract import Tables
from two_tower_assets.defs import columns, metadata
from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.profiles import look
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.sketches import sketch
from two_tower_assets.defs.source_links import source_link
from two_tower_assets.defs.stage import (
    OVER_A_NETWORK,
    OWNERS,
    POINTERS,
    friendly,
    record_in_database,
    result,
    stage_asset,
)
from two_tower_assets.defs.store import Made, fingerprint_of
from two_tower_assets.sources.snapshot import Snapshot

_TABLES = {"profiles": Tables.PROFILES, "videos": Tables.VIDEOS, "decisions": Tables.DECISIONS}
_ROWS = {
    "profiles": "Users: one row for every account",
    "videos": "The catalogue: one row for every video, with its tags and performers",
    "decisions": "LIKEs and NOPEs, from which the model learns: one row for every decision of a user on a video",
}
_MEANINGS = {"profiles": columns.PROFILES, "videos": columns.VIDEOS, "decisions": columns.DECISIONS}


@stage_asset("sources/database", kinds={"postgres"}, retry_policy=OVER_A_NETWORK)
def database(context: dg.AssetExecutionContext, workspace: Workspace) -> dg.MaterializeResult[Made]:
    """The pipeline's Postgres, with its schema up to date and the rows of the source.

    A sample or a folder is loaded so that the tables equal it, a Supabase project is synchronised: what is new, what
    changed and what is gone since the last time. In a Postgres that already holds the rows they are only checked.
    """
    from two_tower_assets.sources.fill import bring_up_to_date, fill

    site = workspace.site
    applied = bring_up_to_date(site.pipeline_url, may_migrate=site.owns_database)
    common = {
        "source": site.origin.label,
        "data_set": site.origin.dataset,
        "migrations_applied": len(applied),
    }
    if site.origin.kind == "supabase":
        return _synchronised(context, site, common)
    report = fill(
        site.pipeline_url, site.origin, site.settings.sample, progress=log_progress(context.log, "tables loaded")
    )
    content = report.content_hash if report else datetime.now(UTC).isoformat()
    unchanged = report is not None and report.skipped
    made = record_in_database(context, site, {}, data_version=content, changed=not unchanged)
    described = {
        **common,
        "rows": metadata.counts(report.row_counts if report else {}),
        "rows_changed": metadata.counts(report.changed if report else {}),
        "rows_left_out_or_mended": metadata.counts(report.counts if report else {}),
    }
    settings = ("source", "sample")
    return result(site, made, described, reused=unchanged, settings=settings)


def _synchronised(
    context: dg.AssetExecutionContext, site: Site, common: dict[str, object]
) -> dg.MaterializeResult[Made]:
    from two_tower_assets.defs.syncing import synchronise

    report = synchronise(site, context.log)
    for note in report.notes():
        context.log.info(note)
    made = record_in_database(context, site, {}, data_version=report.content_hash, changed=not report.unchanged)
    described = {
        **common,
        "way": report.way,
        "rows": metadata.counts(report.counts("rows")),
        "rows_inserted": metadata.counts(report.counts("inserted")),
        "rows_changed": metadata.counts(report.counts("changed")),
        "rows_deleted": metadata.counts(report.counts("deleted")),
        "notes": dg.MetadataValue.md("\n".join(f"- {note}" for note in report.notes()) or "none"),
    }
    return result(site, made, described, reused=report.unchanged, settings=("source",))


def _take(context: dg.AssetExecutionContext, site: Site) -> Snapshot:
    from two_tower_assets.sources.snapshot import take_snapshot

    # A live source is cut at the run's start; a sample or a folder just after its last decision.
    cutoff = datetime.now(UTC) if site.origin.is_live else None
    progress = log_progress(context.log, "decisions read")
    return take_snapshot(site.pipeline_url, site.home.snapshots, cutoff=cutoff, progress=progress)


@dg.multi_asset(
    name="snapshot",
    outs={
        noun: dg.AssetOut(
            key=["sources", noun],
            group_name="sources",
            owners=OWNERS,
            kinds={"polars", "parquet"},
            code_version=code_version("sources"),
            io_manager_key=POINTERS,
            metadata=source_link(_take),
            description=f"{_ROWS[noun]}.\n\nThe table `{table}`, frozen in the same moment as the other two.",
        )
        for noun, table in _TABLES.items()
    },
    deps=[database],
)
def snapshot(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult[Made]]:
    """The three tables read in one transaction and frozen as parquet under a name of their content."""
    taken, profile = look("sources/snapshot", partial(friendly(_take), context, workspace.site))
    for noun, table in _TABLES.items():
        yield _describe(workspace.site, taken, noun, table, profile)


def _describe(
    site: Site, taken: Snapshot, noun: str, table: str, profile: Mapping[str, object]
) -> dg.MaterializeResult[Made]:
    facts = taken.tables[table]
    asset = f"sources/{noun}"
    fingerprint = fingerprint_of(asset, taken.content_hash, taken.cutoff.isoformat(), facts.content_hash)
    known = site.store.find(fingerprint)
    made = known or site.store.record(
        asset,
        fingerprint,
        taken.folder,
        (f"{noun}.parquet", "snapshot.json"),
        {"rows": facts.rows, "cutoff": taken.cutoff.isoformat()},
        data_version=facts.content_hash,
    )
    site.store.save(made)
    frame = {"profiles": taken.profiles, "videos": taken.videos, "decisions": taken.decisions}[noun]()
    described = {
        "dagster/row_count": facts.rows,
        "dagster/column_schema": columns.table_schema(frame.collect_schema(), _MEANINGS[noun]),
        **({**_over_time(taken), **profile} if noun == "decisions" else {}),
        "content_hash": facts.content_hash[:16],
        "cutoff": dg.MetadataValue.timestamp(taken.cutoff),
        "rows_left_out": metadata.counts(facts.left_out),
    }
    return result(site, made, described, reused=known is not None)


def _over_time(taken: Snapshot) -> dict[str, object]:
    """Totals, and a line each for the LIKEs and the NOPEs of every week."""
    from two_tower_assets.sources.weekly import decisions_by_week

    by_week = {kind.upper(): weeks for kind, weeks in decisions_by_week(taken.decisions()).items()}
    moments = [week for week, _ in by_week["LIKE"]]
    if not moments:
        return {}
    lines = {name: [(week.timestamp(), float(count)) for week, count in weeks] for name, weeks in by_week.items()}
    return {
        "by_week": dg.MetadataValue.md(sketch(lines, start=f"{moments[0]:%Y-%m-%d}", end=f"{moments[-1]:%Y-%m-%d}")),
        "likes": sum(count for _, count in by_week["LIKE"]),
        "nopes": sum(count for _, count in by_week["NOPE"]),
    }
