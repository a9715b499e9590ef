"""What is put in front of users: makers and popularity, beside what users later liked."""

from __future__ import annotations

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.page.charts.dots import Dot, axis, dot_row, join_line
from two_tower_assets.evaluation.page.charts.scales import Scale
from two_tower_assets.evaluation.page.charts.stacks import stack
from two_tower_assets.evaluation.page.data import Exposure, MakerExposure, PageData
from two_tower_assets.evaluation.page.formats import figure, percent
from two_tower_assets.evaluation.page.markup import Child, Html, element
from two_tower_assets.evaluation.page.parts import Column, Row, details, facts, missing, section, table, title
from two_tower_assets.evaluation.page.reading import judged_group
from two_tower_assets.evaluation.page.words import method_name
from two_tower_assets.evaluation.report import MODEL, TrialReport
from two_tower_assets.evaluation.trials import GLOBAL

_LEAD = "Shares of the first ten places of everybody asked, beside the shares of what they later liked."
_LIKED = "Later LIKEs"
_DECILES = ("most liked tenth", *(f"{place}th tenth" for place in range(2, 10)), "least liked tenth")
_ORDINALS = {"2th": "2nd", "3th": "3rd"}


def exposing(page: PageData) -> Html:
    """Makers, then popularity."""
    found = page.exposure
    content: Child = missing("No list was shown to anybody.")
    if found is not None and found.shown_deciles:
        content = [
            element("h3", "By maker"),
            _concentration(page.report.trials.get(GLOBAL)),
            _makers(found),
            element("h3", "By popularity"),
            _deciles(found),
        ]
    return section("exposure", "What is put in front of users", _LEAD, content)


def _concentration(trial: TrialReport | None) -> Html | None:
    group = judged_group(trial)
    if trial is None or group is None:
        return None
    shown = group.metrics[MODEL].get("maker_hhi@10")
    return facts(
        {
            "Maker concentration of the towers’ lists": figure(shown.mean if shown else None),
            "… of what users had liked": figure(trial.liked_maker_hhi),
            "… of the catalogue": figure(trial.catalogue_maker_hhi),
        }
    )


def _makers(found: Exposure) -> Html:
    if not found.makers:
        return missing("No video has a known maker.")
    others = _others(found)
    rows = [*found.makers, others] if others else list(found.makers)
    methods = list(found.shown_deciles)
    first = MODEL if MODEL in methods else methods[0]
    scale = Scale.covering((share for row in found.makers for share in (row.liked, row.shown[first])), zero=True)
    chart = table(
        f"Shares of the makers that {method_name(first)} shows most",
        [Column("Maker"), Column("○ liked later, ● shown", "chart"), Column("Shown", "num"), Column("Liked", "num")],
        [_maker_row(row, first, scale) for row in found.makers],
        foot=Row("", [axis(scale), "", ""], look="axis"),
        look="dotplot",
    )
    columns = [Column("Maker"), Column(_LIKED, "num"), *(Column(method_name(method), "num") for method in methods)]
    body = [
        Row(_maker(row), [percent(row.liked), *(percent(row.shown[method]) for method in methods)]) for row in rows
    ]
    return element(
        "div", chart, details("The same makers in every method’s lists", table("Shares by method", columns, body))
    )


def _maker_row(row: MakerExposure, method: str, scale: Scale) -> Row:
    shown, liked = row.shown[method], row.liked
    dots = [Dot(Interval(mean=liked), "liked"), Dot(Interval(mean=shown), "towers")]
    drawn = dot_row(
        scale, dots, f"shown {percent(shown)}, liked {percent(liked)}", under=[join_line(scale, shown, liked)]
    )
    return Row(_maker(row), [drawn, percent(shown), percent(liked)])


def _maker(row: MakerExposure) -> Html:
    return element("em", "maker not known") if row.name is None else title(row.name)


def _others(found: Exposure) -> MakerExposure | None:
    liked = 1 - sum(row.liked for row in found.makers)
    shown = {method: 1 - sum(row.shown[method] for row in found.makers) for method in found.shown_deciles}
    return MakerExposure(
        name="All other makers", liked=max(0.0, liked), shown={key: max(0.0, value) for key, value in shown.items()}
    )


def _deciles(found: Exposure) -> Html:
    rows = {_LIKED: found.liked_deciles} | {method_name(name): shares for name, shares in found.shown_deciles.items()}
    names = [_ordinal(name) for name in _DECILES]
    chart = table(
        "Places by popularity of the video, from the most liked tenth of the catalogue (dark) to the least (pale)",
        [Column("Whose"), Column("Shares", "chart"), Column("Most liked tenth", "num")],
        [
            Row(name, [stack(shares, names, _in_words(shares, names)), percent(shares[0])])
            for name, shares in rows.items()
        ],
        look="dotplot",
    )
    columns = [Column("Whose"), *(Column(name, "num") for name in names)]
    body = [Row(name, [percent(share) for share in shares]) for name, shares in rows.items()]
    return element(
        "div", chart, details("All tenths in numbers", table("Shares by tenth of the catalogue", columns, body))
    )


def _ordinal(name: str) -> str:
    word, _, rest = name.partition(" ")
    return f"{_ORDINALS.get(word, word)} {rest}"


def _in_words(shares: tuple[float, ...], names: list[str]) -> str:
    return ", ".join(f"{name} {percent(share)}" for name, share in zip(names, shares, strict=True))
