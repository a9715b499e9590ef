"""The verdict: may a model replace what serves now? Every question has its answer, its numbers and its bound.

Where something could not be measured the answer is no, with the reason: the live release goes on serving.

The comparison with the champion is a test of non-inferiority: a model passes when it can be said with 90 % confidence
that it loses less than the margin. So one that is truly worse by the margin passes in about a tenth of all cases; few
users are paid for with refusals and not with bad models, down to some fifty of them, below which bootstrap intervals
are too narrow (`gate_simulation` prints both). NDCG@10 varies more between users than recall, and is held against a
model only where its whole 95 % interval is negative: with the bound of recall that question alone would refuse one
equal model in ten. What re-ranking costs of it is judged the same way: its weight was chosen on the validation window
so that it plausibly costs no more than a bound, and one test window of few users must not overrule that by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.report import CHAMPION, MODEL, NDCG, RERANKED, Report, TrialReport, best_of
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS
from two_tower_assets.settings import GateSettings

POPULARITY: Final = "most_popular"
CONTENT_COSINE: Final = "content_cosine"

_ONE_SIDED_90: Final = 1.2816 / 1.9600
"""Half-width of a one-sided 90 % bound as a share of the half-width of a two-sided 95 % interval, if normal."""
_VIDEOS_A_RANK: Final = 5
"""A list of k out of fewer than 5 k candidates tells little: chance alone finds a fifth."""
_SMALLEST_LIST: Final = 10

Bound = Literal["at least", "at most"]


class Answer(BaseModel):
    """One question of the gate."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    question: str
    passed: bool
    value: float | None = None
    bound: float | None = None
    reason: str | None = None
    """Why not, in one sentence."""


class Verdict(BaseModel):
    """All answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    answers: tuple[Answer, ...]

    @property
    def passed(self) -> bool:
        """Whether every answer is yes."""
        return all(answer.passed for answer in self.answers)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not."""
        return tuple(answer.reason or answer.question for answer in self.answers if not answer.passed)


def judge(report: Report, settings: GateSettings) -> Verdict:
    """Ask every question of a report."""
    judged = report.trials.get(GLOBAL)
    refusal = unmeasured(judged, settings)
    if judged is None or refusal:
        return Verdict(answers=(Answer(question="measured", passed=False, reason=refusal),))
    recall = judged_recall(judged)
    assert recall is not None
    answers = [
        Answer(question="measured", passed=True, value=judged.groups[judged.judged].users, bound=settings.min_users),
        *_beside_popularity(judged, recall, settings),
        *_guardrails(judged, settings),
        *_new_videos(report, settings),
        *_reranking(judged, settings),
        *_beside_champion(report, judged, recall, settings),
    ]
    return Verdict(answers=tuple(answers))


def unmeasured(judged: TrialReport | None, settings: GateSettings) -> str | None:
    """Why nothing can be said of a model, or None."""
    longer = "Collect more decisions, or set evaluation.test_quantile lower so that the window is longer"
    group = None if judged is None else judged.groups.get(judged.judged)
    if judged is None or group is None or MODEL not in group.metrics:
        return f"Nothing could be measured: the test window has no LIKE of a known user. {longer}"
    if group.users < settings.min_users:
        few = f"Only {group.users} known users have a LIKE in the test window, fewer than {settings.min_users}"
        return f"{few}. {longer}"
    if judged_recall(judged) is None:
        return (
            f"The catalogue of {judged.candidates} videos is too small for lists of {_SMALLEST_LIST} to say anything"
        )
    return None


def judged_recall(judged: TrialReport) -> str | None:
    """The recall that the verdict is about: the longest list of which five fit into the catalogue."""
    measured = judged.groups[judged.judged].metrics[MODEL]
    lengths = [int(name.partition("@")[2]) for name in measured if name.startswith("recall@")]
    fitting = [length for length in lengths if length * _VIDEOS_A_RANK <= judged.candidates]
    return f"recall@{max(fitting)}" if fitting else None


def lower_bound(interval: Interval) -> float:
    """Lower end of the one-sided 90 % interval."""
    assert interval.low is not None
    return interval.mean - _ONE_SIDED_90 * (interval.mean - interval.low)


def _beside_popularity(judged: TrialReport, recall: str, settings: GateSettings) -> Iterator[Answer]:
    metrics = judged.groups[judged.judged].metrics
    popular = [name for name in metrics if name == POPULARITY or name.startswith("popular_")]
    best = best_of(metrics, recall, popular)
    value = metrics[MODEL][recall].mean
    if best is None or value <= 0:
        reason = (
            "no popularity was measured" if best is None else f"{recall} is 0: no LIKE of the test window was found"
        )
        yield Answer(question=f"{recall} beside popularity", passed=False, value=value, reason=reason)
        return
    bound = settings.min_recall_ratio * metrics[best][recall].mean
    yield _answer(f"{recall} beside {best}", value, "at least", bound)
    gains = judged.groups[judged.judged].gains
    best = best_of(metrics, NDCG, popular) or best
    yield _not_surely_lower(gains[best][NDCG], best)


def _guardrails(judged: TrialReport, settings: GateSettings) -> Iterator[Answer]:
    metrics = judged.groups[judged.judged].metrics
    bounds: tuple[tuple[str, Bound, float], ...] = (
        ("purity@10", "at least", settings.min_purity_ratio),
        ("nope_rate@10", "at most", settings.max_nope_ratio),
        ("coverage@10", "at least", settings.min_coverage_ratio),
        ("gini@10", "at most", settings.max_gini_ratio),
    )
    for metric, side, ratio in bounds:
        yield from _beside(metrics, metric, POPULARITY, side, ratio)
    yield from _makers(judged, settings)


def _makers(judged: TrialReport, settings: GateSettings) -> Iterator[Answer]:
    metrics = judged.groups[judged.judged].metrics
    value = metrics[MODEL].get("maker_hhi@10")
    popular = metrics.get(POPULARITY, {}).get("maker_hhi@10")
    if value is None or judged.liked_maker_hhi is None:
        return
    reference = max(judged.liked_maker_hhi, popular.mean if popular else 0.0)
    yield _answer("maker_hhi@10", value.mean, "at most", settings.max_maker_ratio * reference)


def _new_videos(report: Report, settings: GateSettings) -> Iterator[Answer]:
    trial = report.trials.get(NEW_VIDEOS)
    group = None if trial is None else trial.groups.get(trial.judged)
    if trial is None or group is None or MODEL not in group.metrics or judged_recall(trial) is None:
        # Too few decisions to hide some: said in the report, and not a fault of the model.
        return
    recall = judged_recall(trial)
    assert recall is not None
    yield from _beside(
        group.metrics, recall, CONTENT_COSINE, "at least", settings.min_new_video_ratio, of="new videos: "
    )


def _reranking(judged: TrialReport, settings: GateSettings) -> Iterator[Answer]:
    group = judged.groups[judged.judged]
    if RERANKED not in group.metrics:
        yield Answer(question="re-ranked lists", passed=False, reason="the re-ranked lists were not measured")
        return
    cost = group.gains[RERANKED][NDCG]
    assert cost.low is not None
    bound = settings.max_rerank_cost * group.metrics[MODEL][NDCG].mean
    yield _answer(f"{NDCG} that re-ranking costs, lower bound", cost.low, "at most", bound)


def _beside_champion(report: Report, judged: TrialReport, recall: str, settings: GateSettings) -> Iterator[Answer]:
    if report.champion_version is None:
        return
    group = judged.groups[judged.judged]
    if CHAMPION not in group.metrics:
        reason = f"the live release {report.champion_version} could not be compared: {report.champion_missing}"
        yield Answer(question="beside the champion", passed=False, reason=reason)
        return
    means = {name: figure.mean for name, figure in group.metrics[CHAMPION].items()}
    yield from champion_answers(group.gains[CHAMPION], means, recall, settings.margin)
    worse, better = 1 - settings.guard_margin, 1 + settings.guard_margin
    for metric in ("purity@10", "coverage@10"):
        yield from _beside(group.metrics, metric, CHAMPION, "at least", worse)
    for metric in ("nope_rate@10", "gini@10", "maker_hhi@10"):
        yield from _beside(group.metrics, metric, CHAMPION, "at most", better)


def champion_answers(
    gains: Mapping[str, Interval], champion: Mapping[str, float], recall: str, margin: float
) -> Iterator[Answer]:
    """Ask whether a challenger is as good as the champion.

    Args:
        gains: metric to challenger minus champion, paired.
        champion: metric to the champion's mean.
        recall: the recall that is judged.
        margin: share of it that may not be lost.
    """
    yield non_inferior(gains[recall], champion[recall], recall, margin)
    yield _not_surely_lower(gains[NDCG], CHAMPION)


def non_inferior(gain: Interval, champion: float, metric: str, margin: float) -> Answer:
    """Whether a model surely loses less than the margin.

    Args:
        gain: challenger minus champion, paired.
        champion: the champion's mean.
        metric: for the text.
        margin: as a share of the champion's mean.
    """
    if champion <= 0:
        return Answer(question=f"{metric} beside the champion", passed=True, value=gain.mean, bound=0.0)
    value = lower_bound(gain) / champion
    passed = value >= -margin
    reason = (
        f"{metric} may be {-value:.1%} below the champion's (90 % confidence), more than {margin:.0%}; "
        f"measured: {gain.mean / champion:+.1%}"
    )
    return Answer(
        question=f"{metric} beside the champion",
        passed=passed,
        value=value,
        bound=-margin,
        reason=None if passed else reason,
    )


def _not_surely_lower(gain: Interval, method: str) -> Answer:
    """NDCG@10 is refused where even the upper end of the paired 95 % interval is negative."""
    assert gain.high is not None
    return _answer(f"{NDCG} minus {method}'s, upper bound", gain.high, "at least", 0.0)


def _beside(
    metrics: Mapping[str, Mapping[str, Interval]],
    metric: str,
    method: str,
    side: Bound,
    ratio: float,
    *,
    of: str = "",
) -> Iterator[Answer]:
    """Compare with a ratio of another method's figure; nothing is asked where either was not measured."""
    own, other = metrics[MODEL].get(metric), metrics.get(method, {}).get(metric)
    if own is not None and other is not None:
        yield _answer(f"{of}{metric} beside {method}", own.mean, side, ratio * other.mean)


def _answer(question: str, value: float, side: Bound, bound: float) -> Answer:
    passed = value >= bound if side == "at least" else value <= bound
    reason = f"{question}: {value:.4f}, must be {side} {bound:.4f}"
    return Answer(question=question, passed=passed, value=value, bound=bound, reason=None if passed else reason)
