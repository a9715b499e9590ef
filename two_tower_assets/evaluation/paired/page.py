"""The page of a comparison: what may be claimed, for whom, and lists that changed; one file that works offline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from two_tower_assets.evaluation.page.charts.dots import Dot, Look, axis, dot_row
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.formats import count, counted, minute, percent, signed
from two_tower_assets.evaluation.page.markup import Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, difference, measured, missing, section, table, title
from two_tower_assets.evaluation.page.shell import html_page
from two_tower_assets.evaluation.page.words import metric_name, metric_of
from two_tower_assets.evaluation.paired.compare import FIRST, METRICS
from two_tower_assets.evaluation.paired.records import ChangedList, Comparison, Group
from two_tower_assets.evaluation.paired.surely import FEWEST_USERS, Claim, claimed_lines, claims

_LOOKS: Final[Mapping[bool, Look]] = {True: "pass", False: "fail"}


def render(comparison: Comparison) -> str:
    """Write the page; the same comparison gives the same bytes."""
    return html_page(
        title=f"{comparison.before} and {comparison.after}",
        heading=["From ", element("code", comparison.before), " to ", element("code", comparison.after)],
        below=f"asked about {minute(comparison.begin)} to {minute(comparison.end)} · "
        f"{counted(comparison.likes, 'LIKE')} to be found",
        sections=[
            ("claims", "Claims", _claims(comparison)),
            ("groups", "For whom", _groups(comparison)),
            ("lists", "Lists", _lists(comparison)),
        ],
    )


def _claims(comparison: Comparison) -> Html:
    lead = (
        "Of all groups and metrics together: of equal models, one comparison in twenty claims anything (Holm). "
        f"Of groups of fewer than {FEWEST_USERS} users nothing is claimed."
    )
    lines = [element("li", line) for line in claimed_lines(comparison.groups)]
    same = f"Of a person’s first {FIRST} videos, {percent(comparison.same.mean)} are the same."
    return section("claims", "What may be claimed", lead, element("ul", lines), element("p", same))


def _groups(comparison: Comparison) -> Html:
    claimed = {(claim.group.name, claim.metric): claim for claim in claims(comparison.groups)}
    tables = [_of_metric(comparison, metric, claimed) for metric in METRICS]
    return section("groups", "For whom", "Paired by person: each is asked twice about the same LIKEs.", *tables)


def _of_metric(comparison: Comparison, metric: str, claimed: Mapping[tuple[str, str], Claim]) -> Html:
    groups = [group for group in comparison.groups if metric in group.difference]
    if not groups:
        return missing(f"Nobody has a figure of {metric_name(metric)}.")
    ends = [end for group in groups for end in _ends(group, metric)]
    scale = Scale.covering((*ends, 0.0), zero=True)
    columns = (
        Column("group"),
        Column("users", "number"),
        Column("before", "number"),
        Column("after", "number"),
        Column("difference", "number"),
        Column("", "chart"),
        Column("more / fewer found", "number"),
    )
    rows = [_row(group, metric, scale, is_claimed=(group.name, metric) in claimed) for group in groups]
    foot = Row("", ["", "", "", "", axis(scale), ""])
    return table(f"{metric_name(metric)}: {metric_of(metric).meaning}", columns, rows, foot=foot)


def _row(group: Group, metric: str, scale: Scale, *, is_claimed: bool) -> Row:
    found = group.difference[metric]
    is_good = (found.mean > 0) == (metric_of(metric).better > 0)
    look: Look = _LOOKS[is_good] if is_claimed else "baseline"
    return Row(
        group.name,
        [
            count(group.users),
            measured(group.before.get(metric)),
            measured(group.after.get(metric)),
            difference(found),
            dot_row(scale, [Dot(found, look)], f"{group.name}: {signed(found.mean)}"),
            f"{percent(group.better)} / {percent(group.worse)}",
        ],
    )


def _ends(group: Group, metric: str) -> tuple[float, ...]:
    found = group.difference[metric]
    return tuple(end for end in (found.mean, found.low, found.high) if end is not None)


def _lists(comparison: Comparison) -> Html:
    if not comparison.changed:
        return section("lists", "Lists that changed", None, missing("No list of anybody gained or lost a LIKE."))
    lead = (
        "Those that changed most among people for whom one list holds a later LIKE that the other does not. Private."
    )
    return section("lists", "Lists that changed", lead, [_changed(each, comparison) for each in comparison.changed])


def _changed(changed: ChangedList, comparison: Comparison) -> Html:
    sides = ((comparison.before, changed.before), (comparison.after, changed.after))
    columns = [
        element("div", element("h3", element("code", version)), element("ol", _videos(videos, changed, comparison)))
        for version, videos in sides
    ]
    return element(
        "details",
        element("summary", element("code", changed.user_id)),
        element("div", columns, class_="pair"),
        class_="person",
        open=True,
    )


def _videos(videos: tuple[str, ...], changed: ChangedList, comparison: Comparison) -> list[Html]:
    return [
        element(
            "li",
            title(comparison.titles.get(video, video)),
            element("span", " ♥ liked later", class_="later liked") if video in changed.liked else None,
            class_="liked" if video in changed.liked else None,
        )
        for video in videos
    ]
