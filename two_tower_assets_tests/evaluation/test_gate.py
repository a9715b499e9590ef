from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import Verdict, judge, judged_recall, lower_bound, non_inferior
from two_tower_assets.evaluation.report import ALL, CHAMPION, MODEL, RERANKED, Report
from two_tower_assets.evaluation.trials import NEW_VIDEOS
from two_tower_assets.settings import GateSettings
from two_tower_assets_tests.evaluation.reports import (
    COSINE,
    GOOD,
    POPULAR,
    RECENT,
    beside_champion,
    interval,
    report,
    trial_report,
    with_figures,
)

GATE = GateSettings()


def refusals(judged: Report, settings: GateSettings = GATE) -> list[str]:
    """Questions that are answered by no; a refusal always has a reason and stops the model."""
    verdict = judge(judged, settings)
    failed = [answer for answer in verdict.answers if not answer.passed]
    assert all(answer.reason for answer in failed)
    assert verdict.passed == (not failed)
    assert verdict.reasons == tuple(answer.reason for answer in failed)
    return [answer.question for answer in failed]


def test_a_good_first_release_is_compared_with_baselines_alone_and_passes() -> None:
    """Without a live release nothing is asked about one, and every other question has an answer."""
    verdict = judge(report(), GATE)
    assert verdict.passed
    assert not any("champion" in answer.question for answer in verdict.answers)
    asked = " ".join(answer.question for answer in verdict.answers)
    for metric in ("recall@200", "ndcg@10", "purity@10", "nope_rate@10", "coverage@10", "gini@10", "maker_hhi@10"):
        assert metric in asked
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (trial_report({}), "no LIKE of a known user"),
        (trial_report(GOOD, group="new"), "no LIKE of a known user"),
        (trial_report(with_figures(GOOD, two_tower=None)), "no LIKE of a known user"),
        (trial_report(GOOD, users=19), "Only 19 known users"),
        (trial_report(GOOD, candidates=49), "catalogue of 49 videos is too small"),
    ],
)
def test_what_could_not_be_measured_is_refused_with_the_reason(judged: object, reason: str) -> None:
    """No figures, new users alone, too few users, a tiny catalogue: one answer, no, and nothing else is asked."""
    (answer,) = judge(report(judged), GATE).answers  # type: ignore[arg-type]
    assert not answer.passed
    assert reason in (answer.reason or "")


def test_a_report_without_the_judging_trial_is_refused() -> None:
    """There is no verdict without the global split."""
    nothing = report().model_copy(update={"trials": {}})
    assert refusals(nothing) == ["measured"]


def test_at_the_smallest_numbers_a_model_is_judged() -> None:
    """Twenty users and fifty candidates are enough to be asked, and the settings move the first bound."""
    small = trial_report(with_figures(GOOD, most_popular={"recall@10": 0.2}), users=20, candidates=50)
    assert refusals(report(small)) == []
    assert refusals(report(small), GateSettings(min_users=21)) == ["measured"]


def test_everybody_is_judged_where_nobody_is_new() -> None:
    """A trial without new users has one group of all of them."""
    assert refusals(report(trial_report(GOOD, group=ALL))) == []


@pytest.mark.parametrize(
    ("candidates", "judged"), [(1000, "recall@200"), (999, "recall@10"), (50, "recall@10"), (49, None)]
)
def test_the_judged_recall_is_that_of_the_longest_list_of_which_five_fit(candidates: int, judged: str | None) -> None:
    """In a catalogue of fewer than 1000 videos recall@200 is nearly given, and recall@10 is looked at instead."""
    assert judged_recall(trial_report(GOOD, candidates=candidates)) == judged


def test_recall_must_reach_the_best_popularity() -> None:
    """At the better of two popularities a model passes, just below it does not, and the ratio moves the bound."""
    for recall, ratio, refused in [(0.55, 1.0, False), (0.549, 1.0, True), (0.549, 0.99, False), (0.6, 1.1, True)]:
        figures = with_figures(GOOD, two_tower={"recall@200": recall})
        found = refusals(report(trial_report(figures)), GateSettings(min_recall_ratio=ratio))
        assert found == ([f"recall@200 beside {RECENT}"] if refused else [])


def test_ndcg_is_held_against_a_model_only_where_it_is_surely_below_popularity() -> None:
    """Lower by 0.01: with an interval that reaches 0 the model passes, with one that does not it is refused."""
    figures = with_figures(GOOD, two_tower={"ndcg@10": 0.14}, two_tower_reranked={"ndcg@10": 0.14})
    assert refusals(report(trial_report(figures, half_width=0.011))) == []
    (question,) = refusals(report(trial_report(figures, half_width=0.009)))
    assert question.startswith(f"ndcg@10 minus {RECENT}")


@pytest.mark.parametrize("without", [{POPULAR: None, RECENT: None}, {MODEL: {"recall@200": 0.0}}])
def test_no_popularity_and_no_hit_are_refused(without: dict[str, None]) -> None:
    """A model that finds nothing, or that nothing simple was measured beside, is not compared any further."""
    found = refusals(report(trial_report(with_figures(GOOD, **without))))
    assert found == ["recall@200 beside popularity"]


@pytest.mark.parametrize(
    ("metric", "at_bound", "beyond"),
    [
        ("purity@10", 0.68, 0.679),
        ("nope_rate@10", 0.03, 0.0301),
        ("coverage@10", 0.01, 0.0099),
        ("gini@10", 0.99, 0.991),
        ("maker_hhi@10", 0.15, 0.151),
    ],
)
def test_each_guardrail_stops_a_model_by_itself(metric: str, at_bound: float, beyond: float) -> None:
    """At the bound that the settings name the model passes; a little beyond it that one question stops it."""
    assert refusals(report(trial_report(with_figures(GOOD, two_tower={metric: at_bound})))) == []
    (question,) = refusals(report(trial_report(with_figures(GOOD, two_tower={metric: beyond}))))
    assert question.startswith(metric)


def test_makers_are_compared_with_what_was_liked_or_with_popular_lists_where_these_are_narrower() -> None:
    """Beside popular lists of concentration 0.2 a model may have 0.3; where makers are unknown nothing is asked."""
    narrow = with_figures(GOOD, two_tower={"maker_hhi@10": 0.3}, most_popular={"maker_hhi@10": 0.2})
    assert refusals(report(trial_report(narrow))) == []
    unknown = trial_report(with_figures(GOOD, two_tower={"maker_hhi@10": 0.9})).model_copy(
        update={"liked_maker_hhi": None}
    )
    assert refusals(report(unknown)) == []


def new_videos(recall: float, cosine: float, **changes: int) -> Report:
    figures = {
        MODEL: {"recall@10": recall, "recall@200": recall},
        COSINE: {"recall@10": cosine, "recall@200": cosine},
    }
    return report(new_videos=trial_report(figures, trial=NEW_VIDEOS, group=ALL, **changes))


def test_new_videos_must_be_found_as_content_cosine_finds_them() -> None:
    """At its recall a model passes and below it does not; where the trial is too small nothing is asked."""
    assert refusals(new_videos(0.2, 0.2)) == []
    assert refusals(new_videos(0.19, 0.2)) == [f"new videos: recall@200 beside {COSINE}"]
    assert refusals(new_videos(0.19, 0.2, candidates=100)) == [f"new videos: recall@10 beside {COSINE}"]
    assert refusals(new_videos(0.19, 0.2, candidates=20)) == []


def test_re_ranking_may_cost_three_percent_of_ndcg() -> None:
    """Of 0.2 there may be 0.194 left, and no less; lists that were not re-ranked are refused."""
    assert refusals(report(trial_report(with_figures(GOOD, two_tower_reranked={"ndcg@10": 0.194})))) == []
    cost = report(trial_report(with_figures(GOOD, two_tower_reranked={"ndcg@10": 0.1939})))
    assert refusals(cost) == ["ndcg@10 after re-ranking"]
    assert refusals(report(trial_report(with_figures(GOOD, **{RERANKED: None})))) == ["re-ranked lists"]


def test_a_model_like_the_champion_passes_where_the_interval_is_narrow() -> None:
    """Equal figures: half a width of 0.04 leaves a loss of 4.4 % possible, one of 0.05 a loss of 5.4 %."""
    assert refusals(beside_champion(half_width=0.04)) == []
    assert refusals(beside_champion(half_width=0.05)) == ["recall@200 beside the champion"]


def test_a_loss_of_recall_beyond_the_margin_is_refused_however_narrow_the_interval() -> None:
    """Against a champion of 0.62, 0.6 is 3.2 % less and passes; against 0.64 it is 6.3 % less and does not."""
    assert refusals(beside_champion(half_width=0.001, recall_at_200=0.62)) == []
    assert refusals(beside_champion(half_width=0.001, recall_at_200=0.64)) == ["recall@200 beside the champion"]
    lax = GateSettings(margin=0.07)
    assert refusals(beside_champion(half_width=0.001, recall_at_200=0.64), lax) == []


def test_ndcg_surely_below_the_champions_is_refused() -> None:
    """Lower by 0.02: refused with an interval of 0.019 to either side, and not with one of 0.021."""
    assert refusals(beside_champion(half_width=0.021, ndcg_at_10=0.22)) == []
    (question,) = refusals(beside_champion(half_width=0.019, ndcg_at_10=0.22))
    assert question.startswith(f"ndcg@10 minus {CHAMPION}")


@pytest.mark.parametrize(
    ("metric", "close", "far"),
    [
        ("purity@10", 0.99, 1.01),
        ("coverage@10", 0.49, 0.51),
        ("nope_rate@10", 0.017, 0.016),
        ("gini@10", 0.59, 0.58),
        ("maker_hhi@10", 0.084, 0.083),
    ],
)
def test_guardrails_beside_the_champion_allow_a_fifth(metric: str, close: float, far: float) -> None:
    """A model may be a fifth worse than the champion in each of these, and no more."""
    name = metric.replace("@", "_at_")
    assert refusals(beside_champion(**{name: close})) == []
    assert refusals(beside_champion(**{name: far})) == [f"{metric} beside {CHAMPION}"]


def test_a_champion_that_could_not_be_compared_refuses_the_challenger() -> None:
    """The reason of the missing comparison is the reason of the refusal."""
    verdict = judge(report(champion="v7", champion_missing="its recipe cannot be followed"), GATE)
    assert not verdict.passed
    (reason,) = verdict.reasons
    assert "v7" in reason
    assert "its recipe cannot be followed" in reason


def test_a_champion_that_found_nothing_is_no_obstacle() -> None:
    """No share of 0 can be lost."""
    assert refusals(beside_champion(recall_at_200=0.0, ndcg_at_10=0.0)) == []


def test_the_lower_bound_leaves_a_tenth_below() -> None:
    """Of a normal distribution with deviation 1, a 95 % interval of ±1.96 has its one-sided 90 % bound at −1.28."""
    assert lower_bound(Interval(mean=0.0, low=-1.96, high=1.96)) == pytest.approx(-1.2816, abs=1e-4)
    assert lower_bound(Interval(mean=2.0, low=2.0, high=5.0)) == 2.0


@given(st.floats(-0.5, 0.5), st.floats(0, 0.5), st.floats(0.01, 1), st.floats(0.01, 0.5))
def test_non_inferiority_is_monotone(gain: float, half_width: float, champion: float, margin: float) -> None:
    """More gain, a narrower interval or a wider margin never turns a yes into a no."""
    if non_inferior(interval(gain, half_width), champion, "recall@200", margin).passed:
        assert non_inferior(interval(gain + 0.1, half_width), champion, "recall@200", margin).passed
        assert non_inferior(interval(gain, half_width / 2), champion, "recall@200", margin).passed
        assert non_inferior(interval(gain, half_width), champion, "recall@200", margin * 1.5).passed
