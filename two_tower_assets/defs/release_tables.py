"""One release in the terminal, and two side by side. The list of all is `release_list`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.release_words import age, duration_of, moment, short, size, value
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.publishing.comparison import Change, LocalFiles, ReleaseDiff, compare_releases, local_files
from two_tower_assets.publishing.listing import (
    LogEntry,
    ReleaseDetails,
    find_details,
    flatten,
    read_log,
)

_APART: Final = frozenset({"recipe", "filtered"})


def print_release(site: Site, model_version: str | None) -> None:
    """Print everything about one release, by default the live one."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    release = find_details(site.serving_url, model_version)
    files = local_files(site.home.artifacts, release)
    console.print(_pairs(f"Release {release.model_version}", _facts(release)))
    if release.evidence:
        console.print(_pairs("Evidence", ((name, value(found)) for name, found in sorted(_evidence(release)))))
        console.print(_ann_table(release.evidence["ann"]))
    else:
        console.print(
            f"Version {release.model_version} has no evidence: it was never verified. Publish it to its end "
            "(`two-tower run`), and it is checked before it may go live.",
            markup=False,
        )
    console.print(_log_table(read_log(site.serving_url, release.model_version)))
    console.print(f"Files: {_where(files)}", markup=False, soft_wrap=True)


def print_release_diff(site: Site, before: str, after: str | None) -> None:
    """Print two releases side by side; the second is by default the live one."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    diff = compare_releases(site.serving_url, site.home.artifacts, before, after)
    console.print(_changes_table(diff, "Figures", diff.figures, differences=True))
    if diff.settings:
        console.print(_changes_table(diff, "Settings that differ", diff.settings))
    if diff.data:
        console.print(_changes_table(diff, "Learned from", diff.data, differences=True))
    if diff.files:
        console.print(_files_table(diff))
    for line in _remarks(diff):
        console.print(line, markup=False, soft_wrap=True)


def _facts(release: ReleaseDetails) -> Iterator[tuple[str, str]]:
    now = datetime.now(UTC)
    yield "state", f"{release.state}{' ●' if release.is_live else ''}"
    yield "prepared", f"{moment(release.created_at)} by {release.created_by}"
    yield "verified", moment(release.verified_at)
    live = f" by {release.who}, {age(release.activated_at, now)} ago" if release.activated_at else ""
    yield "went live", f"{moment(release.activated_at)}{live}"
    yield "replaced", value(release.previous_version)
    yield "manifest hash", value(release.manifest_hash)
    yield "artifact prefix", value(release.artifact_prefix)
    yield "vectors", release.vector_table or "dropped, or not made yet"
    yield "videos, users", f"{value(release.video_count)}, {value(release.user_count)}"
    parts = f" ({size(release.table_bytes)} vectors, {size(release.index_bytes)} indexes)"
    yield "size", f"{size(release.total_bytes)}{parts if release.total_bytes is not None else ''}"


def _where(files: LocalFiles) -> str:
    if files.manifest is None:
        return f"not on this machine ({files.folder})"
    other = "" if files.is_released else ": its manifest is not the one that was released"
    return f"{files.folder}{other}"


def _evidence(release: ReleaseDetails) -> Iterator[tuple[str, Any]]:
    """Each part under its name; left out are the recipe, which `release diff` compares, and what has a table."""
    for part, found in release.evidence.items():
        kept = {key: inner for key, inner in found.items() if key not in _APART} if isinstance(found, dict) else found
        yield from flatten(kept, part)


def _ann_table(ann: Mapping[str, Any]) -> Table:
    table = Table(title="What the index finds of exact search", title_justify="left")
    for column in ("filter", "keeps", "recall@10", "recall@50", "rows missing"):
        table.add_column(column)
    whole = {"filter": "none", "kept": 1.0, "missing": 0, **ann}
    for found in (whole, *ann.get("filtered", ())):
        figures = (f"{found[key]:.4f}" for key in ("recall_at_10", "recall_at_50"))
        table.add_row(found["filter"], f"{found['kept']:.1%}", *figures, str(found["missing"]))
    return table


def _log_table(entries: Iterable[LogEntry]) -> Table:
    table = Table(title="Flips to and from it", title_justify="left")
    for column in ("at", "action", "from", "to", "by", "note"):
        table.add_column(column, no_wrap=column == "at")
    for entry in entries:
        note = entry.note or ""
        table.add_row(
            moment(entry.at), entry.action, value(entry.from_version), entry.to_version, entry.by_whom, note
        )
    return table


def _pairs(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", show_header=False)
    for row in rows:
        table.add_row(*row)
    return table


def _changes_table(diff: ReleaseDiff, title: str, changes: Iterable[Change], *, differences: bool = False) -> Table:
    table = Table(title=title, title_justify="left")
    columns = ("", diff.before.model_version, diff.after.model_version, *(("difference",) if differences else ()))
    for column in columns:
        table.add_column(column)
    for change in changes:
        difference = (_difference(change),) if differences else ()
        table.add_row(change.name, _cell(change, change.before), _cell(change, change.after), *difference)
    return table


def _cell(change: Change, found: Any) -> str:
    return short(found) if found and change.name.endswith("hash") else value(found)


def _difference(change: Change) -> str:
    if change.difference is not None:
        return f"{change.difference:+,.4g}" if change.difference else "="
    if change.name.endswith("cutoff") and change.before and change.after:
        later = datetime.fromisoformat(change.after) - datetime.fromisoformat(change.before)
        return duration_of(later) if later else "="
    return "=" if change.before == change.after else "differs"


def _files_table(diff: ReleaseDiff) -> Table:
    table = Table(title="Files", title_justify="left")
    for column in ("file", diff.before.model_version, diff.after.model_version, "bytes"):
        table.add_column(column)
    for change in diff.files:
        sizes = (f"{size(found[0])} {short(found[1])}" if found else "–" for found in (change.before, change.after))
        table.add_row(change.name, *sizes, "equal" if change.before == change.after else "differ")
    return table


def _remarks(diff: ReleaseDiff) -> Iterator[str]:
    if diff.settings is None:
        yield "Settings: not known for both; none were kept with the release, and its files are not here."
    elif not diff.settings:
        yield "Settings: no difference."
    for files in diff.local:
        if files.manifest is None:
            yield f"Data, vocabularies and files are not compared: {files.folder} is not on this machine."
        elif not files.is_released:
            yield f"The manifest in {files.folder} is not the one that was released."
    if diff.videos is None:
        yield "Videos: not compared, the vectors of one of the versions were dropped."
    else:
        yield f"Videos: {diff.videos.gained:,} gained, {diff.videos.lost:,} lost, {diff.videos.shared:,} in both."
