"""Names of methods, metrics, trials and groups as people read them, and what each metric means.

A name that is not known here is shown as it is. What does not live here: any figure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from two_tower_assets.evaluation.groups import HEAVY, LIGHT, TAIL
from two_tower_assets.evaluation.report import ALL, CHAMPION, KNOWN, MODEL, NEW, RERANKED
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER

Aspect = Literal["found", "liked", "spread"]

ASPECTS: Final[dict[Aspect, str]] = {
    "found": "What is found",
    "liked": "Whether it is liked",
    "spread": "What is put in front",
}


@dataclass(frozen=True)
class Metric:
    """How a family of metrics is read."""

    name: str
    aspect: Aspect
    better: Literal[-1, 0, 1]
    """1: more is better, −1: less is better, 0: neither."""
    meaning: str


METRICS: Final = {
    "recall": Metric("Recall", "found", 1, "Share of a user's later LIKEs that stand among the first k of the list."),
    "ndcg": Metric(
        "NDCG", "found", 1, "The same for the first k, where an early place counts more; 1 is the ideal order."
    ),
    "mrr": Metric("MRR", "found", 1, "1 divided by the place of the first later LIKE."),
    "purity": Metric(
        "Purity", "liked", 1, "Of the videos in the first ten that users later decided on, the share they liked."
    ),
    "nope_rate": Metric("NOPE rate", "liked", -1, "Share of the first ten places that hold a video refused later."),
    "auc": Metric("AUC", "liked", 1, "How often a later LIKE has a higher score than a later NOPE; 0.5 is chance."),
    "coverage": Metric("Coverage", "spread", 1, "Share of the catalogue that is in the first ten of anybody."),
    "gini": Metric("Gini", "spread", -1, "Inequality of exposure: 0 when all videos are shown equally often."),
    "maker_hhi": Metric(
        "Maker concentration", "spread", -1, "Chance that two random places of the first ten show the same maker."
    ),
    "novelty": Metric(
        "Novelty", "spread", 0, "Mean surprise, in bits, of what is shown: rarely liked videos have more."
    ),
    "popularity_lift": Metric(
        "Popularity lift",
        "spread",
        0,
        "How much more popular the shown videos are than those users had liked; 0: as much.",
    ),
}

_METHODS: Final = {
    MODEL: "Two towers",
    RERANKED: "Two towers, re-ranked",
    CHAMPION: "Live release, refitted",
    "most_popular": "Most popular",
    "content_cosine": "Content cosine",
    "item_knn": "Item kNN",
    "als": "ALS",
    "bpr": "BPR",
    "ease": "EASE",
}

_TRIALS: Final = {
    GLOBAL: (
        "Global split",
        (
            "Everything from one moment on is hidden, and users are asked as of that moment. Nobody knows anything "
            "of the future: this split decides."
        ),
    ),
    PER_USER: (
        "Per-user split",
        (
            "Each user's last decisions are hidden: sessions that go on. More users are asked, and methods may learn "
            "from what others did later."
        ),
    ),
    NEW_VIDEOS: (
        "New videos",
        (
            "All decisions on a fixed draw of videos are hidden, as if they had just been added, and users are asked "
            "who will like them."
        ),
    ),
}

_GROUPS: Final = {
    ALL: "All users",
    KNOWN: "Known users",
    NEW: "New users",
    LIGHT: "Light users",
    HEAVY: "Heavy users",
    TAIL: "LIKEs of tail videos",
    "large makers": "LIKEs of large makers",
    "middle makers": "LIKEs of middle makers",
    "small makers": "LIKEs of small makers",
    "unknown maker": "LIKEs without a known maker",
}


_NAMES: Final = re.compile(
    rf"\b(?:(?:{'|'.join(METRICS)})@\d+|mrr|auc|popular_\d+_days|{'|'.join(_METHODS)})(?![\w@])"
)


def method_name(method: str) -> str:
    """`popular_7_days` as "Popular (7 days)"."""
    if recent := re.fullmatch(r"popular_(\d+)_days", method):
        return f"Popular ({recent[1]} days)"
    return _METHODS.get(method, _sentence(method))


def is_baseline(method: str) -> bool:
    """Whether people would use it instead: neither the towers nor the live release."""
    return method not in {MODEL, RERANKED, CHAMPION}


def metric_of(metric: str) -> Metric:
    """How `recall@200` is read."""
    family = metric.partition("@")[0]
    return METRICS.get(family, Metric(_sentence(family), "found", 0, ""))


def metric_name(metric: str) -> str:
    """`nope_rate@10` as "NOPE rate@10"."""
    _, at, length = metric.partition("@")
    return f"{metric_of(metric).name}{at}{length}"


def trial_name(trial: str) -> str:
    """`per_user` as "Per-user split"."""
    return _TRIALS.get(trial, (_sentence(trial), ""))[0]


def trial_meaning(trial: str) -> str:
    """What a protocol hides and asks."""
    return _TRIALS.get(trial, ("", ""))[1]


def group_name(group: str) -> str:
    """`tail videos` as "LIKEs of tail videos"."""
    return _GROUPS.get(group, _sentence(group))


def named(sentence: str) -> str:
    """A sentence with the names above in place of the program's, and a capital first letter."""
    if sentence == "measured":
        return "Known users asked"
    return _capital(_NAMES.sub(lambda found: _name(found[0]), sentence))


def _name(word: str) -> str:
    is_metric = word.partition("@")[0] in METRICS
    return metric_name(word) if is_metric else method_name(word)


def _sentence(name: str) -> str:
    return _capital(name.replace("_", " "))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
