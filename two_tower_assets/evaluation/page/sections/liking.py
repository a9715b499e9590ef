"""Liked or only looked at: the trade-off that was chosen on the validation window, and the calibration of a LIKE."""

from __future__ import annotations

from two_tower_assets.evaluation.choices import Choices, TradeOff
from two_tower_assets.evaluation.page.charts.plots import Plane
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.formats import counted, figure, percent
from two_tower_assets.evaluation.page.markup import Html, join
from two_tower_assets.evaluation.page.parts import Column, Row, facts, figure_box, missing, pair, section, table
from two_tower_assets.evaluation.page.words import metric_name, metric_of
from two_tower_assets.evaluation.report import NDCG, Calibration

_PURITY = "purity@10"
_LARGEST_BIN = 9.0
_SMALLEST_BIN = 3.0
_LEAD = (
    "A list can be full of what users look at next and still not be what they like. The taste weight says how much "
    "the odds of a LIKE count in the ranking; it was chosen on the validation window, before the test."
)


def liking(page: PageData) -> Html:
    """Both charts, and the trade-off's numbers."""
    choices = page.report.choices
    return section(
        "liking",
        "Liked, or only looked at",
        _LEAD,
        pair(_trade_off(choices), _calibration(page.report.calibration)),
        _weights(choices) if choices.trade_off else None,
    )


def _trade_off(choices: Choices) -> Html:
    points = [point for point in choices.trade_off if NDCG in point.metrics and _PURITY in point.metrics]
    heading = "The trade-off (validation window)"
    if not points:
        return figure_box(heading, missing("The validation window had too few LIKEs and NOPEs to draw it."))
    places = [(point.metrics[NDCG], point.metrics[_PURITY]) for point in points]
    plane = Plane(Scale.covering(x for x, _ in places), Scale.covering(y for _, y in places))
    marks = [_weight_mark(plane, point, is_chosen=_is_chosen(point, choices)) for point in points]
    chart = plane.chart(
        plane.line(places, "line quiet-line"),
        marks,
        label="NDCG@10 and purity@10 for each taste weight: " + "; ".join(map(_tip, points)),
        x_title="NDCG@10: what is looked at is found",
        y_title="Purity@10: what is found is liked",
    )
    return figure_box(heading, chart, caption=f"Each point is a taste weight; {choices.taste_weight:g} was chosen.")


def _weight_mark(plane: Plane, point: TradeOff, *, is_chosen: bool) -> Html:
    x, y = point.metrics[NDCG], point.metrics[_PURITY]
    mark = plane.point(x, y, "towers" if is_chosen else "baseline", tip=_tip(point), radius=7 if is_chosen else 5)
    return join(mark, plane.note(x, y, f"{point.taste_weight:g}{', chosen' if is_chosen else ''}"))


def _tip(point: TradeOff) -> str:
    ndcg, purity = figure(point.metrics[NDCG]), figure(point.metrics[_PURITY])
    return f"weight {point.taste_weight:g}: NDCG@10 {ndcg}, purity@10 {purity}"


def _is_chosen(point: TradeOff, choices: Choices) -> bool:
    return point.taste_weight == choices.taste_weight


def _weights(choices: Choices) -> Html:
    metrics = list(dict.fromkeys(metric for point in choices.trade_off for metric in point.metrics))
    columns = [
        Column("Taste weight"),
        *(Column(metric_name(name), "num", metric_of(name).meaning) for name in metrics),
    ]
    rows = [
        Row(
            f"{point.taste_weight:g}{' (chosen)' if _is_chosen(point, choices) else ''}",
            [figure(point.metrics.get(metric)) for metric in metrics],
            look="own" if _is_chosen(point, choices) else "",
        )
        for point in choices.trade_off
    ]
    return table("What each taste weight would have given on the validation window", columns, rows)


def _calibration(found: Calibration | None) -> Html:
    heading = "Is a promised LIKE kept? (test window)"
    if found is None or not found.reliability:
        return figure_box(heading, missing("The like probability was not measured."))
    unit = Scale(0.0, 1.0)
    plane = Plane(unit, unit)
    most = max(decisions for _, _, decisions in found.reliability)
    bins = [
        plane.point(
            promised,
            kept,
            "towers faint",
            tip=f"promised {percent(promised)}, liked {percent(kept)} of {counted(decisions, 'decision')}",
            radius=_SMALLEST_BIN + (_LARGEST_BIN - _SMALLEST_BIN) * (decisions / most) ** 0.5,
        )
        for promised, kept, decisions in found.reliability
    ]
    chart = plane.chart(
        plane.line([(0, 0), (1, 1)], "line diagonal"),
        plane.line([(promised, kept) for promised, kept, _ in found.reliability], "line"),
        bins,
        label=f"Promised and observed share of LIKEs in {len(found.reliability)} bins; the diagonal is perfect",
        x_title="Promised probability of a LIKE",
        y_title="Observed share of LIKEs",
    )
    numbers = facts(
        {
            "Decisions": f"{found.decisions:,}",
            "Brier score": figure(found.brier),
            "Log loss": figure(found.log_loss),
            "Expected calibration error": figure(found.expected_error),
        }
    )
    return figure_box(heading, chart, numbers, caption="On the dashed line what is promised is kept.")
