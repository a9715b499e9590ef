"""The page of drift and health: one HTML file that works offline, in the looks of the report's page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.dots import Dot, axis, bullet, dot_row
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.formats import count, ends, figure, minute, percent
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, details, facts, measured, missing, section, table
from two_tower_assets.evaluation.page.shell import html_page
from two_tower_assets.home import write_text
from two_tower_assets.monitoring.figures import MEASURES, Family
from two_tower_assets.monitoring.records import DriftReport, Health, LiveLikes, Reading, VectorHealth
from two_tower_assets.monitoring.words import drift_words, health_words, likes_words, vectors_words

PAGE_FILE: Final = "health.html"

_FAMILIES: Final[dict[Family, str]] = {
    "features": "Features",
    "vocabulary": "Vocabulary",
    "decisions": "Decisions",
    "catalogue": "Catalogue",
}
_CHURN_BINS: Final = 10


def write_page(health: Health, label: str, folder: Path) -> Path:
    """Write the page and return its path.

    Args:
        health: what was found.
        label: of the data set.
        folder: where to.
    """
    write_text(folder / PAGE_FILE, render(health, label))
    return folder / PAGE_FILE


def render(health: Health, label: str) -> str:
    """Write the page; the same findings give the same bytes."""
    state = "drift" if health.drift.drifted else "no drift"
    return html_page(
        title=f"Drift and health: {state}",
        heading="Drift and health",
        below=f"{label} · {health.drift.model_version or 'no release'} · window ends {minute(health.drift.end)}",
        sections=[
            ("state", "State", _state(health)),
            ("drift", "Drift", _drift(health.drift)),
            ("likes", "Live likes", _likes(health.likes)),
            ("vectors", "Vectors", _vectors(health.vectors)),
        ],
    )


def _state(health: Health) -> Html:
    sound = not (health.drift.drifted or health.likes.surely_worse or health.vectors.problems)
    words = "All is quiet" if sound else "Look closer"
    banner = element(
        "div",
        element("p", element("span", "✓" if sound else "!", class_="sign", aria_hidden="true"), words, class_="word"),
        element(
            "ul",
            [element("li", line) for line in health_words(health)],
        ),
        class_=f"banner {'passed' if sound else 'refused'}",
    )
    return section("state", "State", None, banner)


def _drift(report: DriftReport) -> Html:
    lead = (
        "Each figure of the latest window beside the training data of the live release. A bound is what chance and "
        "ordinary weeks pass so seldom as the settings ask for, over all figures together; what lies beyond it has "
        "drifted."
    )
    if not report.readings:
        return section("drift", "Drift", lead, missing(*drift_words(report)))
    tables = [
        _family(name, [each for each in report.readings if each.family == key]) for key, name in _FAMILIES.items()
    ]
    return section("drift", "Drift", lead, tables)


def _family(name: str, readings: list[Reading]) -> Html:
    columns = [
        Column("figure"),
        Column("measure"),
        Column("found", "num"),
        Column("bound", "num"),
        Column("found beside the bound", "chart"),
        Column(""),
    ]
    return element(
        "div",
        table(name, columns, [_row(each) for each in readings], look="gate"),
        details("Where each has moved", [_bins(each) for each in readings]),
    )


def _row(reading: Reading) -> Row:
    if reading.value is None:
        return Row(reading.name, [MEASURES[reading.measure], "–", figure(reading.bound), "no row", ""])
    label = f"{reading.name}: {reading.value:.3f}, bound {reading.bound:.3f}"
    mark = element("span", "drifted", class_="no") if reading.drifted else element("span", "quiet", class_="yes")
    return Row(
        reading.name,
        [
            MEASURES[reading.measure],
            figure(reading.value),
            figure(reading.bound),
            bullet(reading.value, reading.bound, at_least=False, passed=not reading.drifted, label=label),
            mark,
        ],
    )


def _bins(reading: Reading) -> Html:
    scale = Scale.covering((*reading.reference, *reading.current), zero=True)
    rows = [
        Row(label, [percent(then), percent(now), _pair(scale, label, then, now)])
        for label, then, now in zip(reading.labels, reading.reference, reading.current, strict=True)
        if then or now
    ]
    columns = [Column(reading.name), Column("trained on", "num"), Column("now", "num"), Column("both", "chart")]
    foot = Row("", ["", "", axis(scale, percent)], look="axis")
    return table(f"{reading.name}: {count(reading.rows)} rows", columns, rows, foot=foot, look="dotplot")


def _pair(scale: Scale, label: str, then: float, now: float) -> Html:
    dots = [Dot(Interval(mean=then), "baseline"), Dot(Interval(mean=now), "towers")]
    return dot_row(scale, dots, f"{label}: {then:.3f} trained on, {now:.3f} now")


def _likes(likes: LiveLikes) -> Html:
    lead = "LIKEs among the decisions on what was served, by version and source, with 95 % intervals over users."
    if not likes.rates:
        return section("likes", "Live likes", lead, missing(*likes_words(likes)))
    scale = Scale.covering(
        [end for each in likes.rates if each.rate for end in (each.rate.low, each.rate.high, each.rate.mean)],
        zero=True,
    )
    columns = [
        Column("version"),
        Column("source"),
        Column("lists", "num"),
        Column("decisions", "num"),
        Column("like rate", "num"),
        Column("", "chart"),
    ]
    rows = [
        Row(
            element("code", each.model_version),
            [each.source, count(each.lists), count(each.decisions), measured(each.rate), _dot(scale, each.rate)],
        )
        for each in likes.rates
    ]
    foot = Row("", ["", "", "", "", axis(scale, percent)], look="axis")
    return section("likes", "Live likes", lead, table("Like rates", columns, rows, foot=foot, look="dotplot"))


def _dot(scale: Scale, rate: Interval | None) -> Child:
    return None if rate is None else dot_row(scale, [Dot(rate, "towers")], f"like rate {rate.mean:.3f}")


def _vectors(vectors: VectorHealth) -> Html:
    lead = "Video vectors of the live release, and how many of each video's neighbours are others than before."
    if not vectors.videos:
        return section("vectors", "Vectors", lead, missing(*vectors_words(vectors)))
    known = facts(dict(_vector_facts(vectors)))
    return section("vectors", "Vectors", lead, known, _churn(vectors))


def _vector_facts(vectors: VectorHealth) -> Iterator[tuple[str, Child]]:
    yield "videos", count(vectors.videos)
    yield "largest error of a length", f"{vectors.largest_norm_error:.1g}"
    yield "directions in use", figure(vectors.dimension)
    yield "directions before", figure(vectors.previous_dimension)
    yield "fewer are a collapse", figure(vectors.smallest_dimension)
    yield "videos in both releases", count(vectors.common)
    if vectors.churn is not None:
        yield "changed neighbours", f"{percent(vectors.churn.mean)} ({ends(vectors.churn)})"
    yield "changed by chance", percent(vectors.chance_churn)


def _churn(vectors: VectorHealth) -> Html:
    if not vectors.churn_of_videos:
        return missing("There is no earlier release to compare neighbours with.")
    videos = [0] * _CHURN_BINS
    for share in vectors.churn_of_videos:
        videos[min(_CHURN_BINS - 1, int(share * _CHURN_BINS))] += 1
    scale = Scale.covering(videos, zero=True)
    rows = [
        Row(
            f"{percent(at / _CHURN_BINS)} to {percent((at + 1) / _CHURN_BINS)}",
            [count(number), dot_row(scale, [Dot(Interval(mean=number), "towers")], f"{number} videos")],
        )
        for at, number in enumerate(videos)
    ]
    columns = [Column("changed neighbours"), Column("videos", "num"), Column("", "chart")]
    return table("Videos by the share of their neighbours that changed", columns, rows, look="dotplot")
