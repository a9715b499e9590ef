"""The sample's people and their decisions: sessions over half a year, in which taste and fame choose and judge.

In a session somebody is shown candidates by what is popular that week, picks among them by taste, and likes by taste
and quality. Taste drifts, new releases fade, people come and go, so the last month is not like the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from two_tower_assets.sources.sample_catalogue import DAYS, LATENT, Catalogue, Floats, Ints, unit

_DAY: Final = 86_400
_SESSION: Final = 12
"""Mean number of decisions of a session."""
_CANDIDATES: Final = 256
_WEEKS: Final = DAYS // 7 + 1
_PICK_TASTE: Final = 8.0
_LIKE_TASTE: Final = 5.0
_LIKE_APPEAL: Final = 0.5
_LIKE_BIAS: Final = -3.6
_SHOWN_APPEAL: Final = 0.8
_DRIFT: Final = 0.3
_HALF_LIFE_DAYS: Final = 60.0
_REPETITION: Final = 1.4
"""Decisions drawn for one that is wanted: a second one about the same video does not count."""
_HEAVY: Final = 3000
_BLOCK: Final = 4096

TYPES: Final = ("swipe_like", "grid_like", "like", "swipe_nope", "grid_nope", "nope", "skip", "grid_open")
"""Three LIKE, three NOPE (each on two surfaces and bare), two that are neither."""
_OTHER: Final = 6


@dataclass(frozen=True)
class People:
    """Users with what decides about their decisions."""

    taste: Floats
    """[U, LATENT], unit rows."""
    drift: Floats
    """[U, LATENT]: where taste moves over the whole window."""
    joined: Floats
    """[U]: days from the window's begin; may be negative."""
    decisions: Ints
    """[U]: how many decisions a user takes, unless the catalogue is too small for so many."""
    leniency: Floats
    hour: Ints
    """[U]: the hour of day, UTC, around which sessions begin."""
    never_likes: np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Decisions:
    """Columns of decisions, each [D]."""

    user: Ints
    video: Ints
    kind: Ints
    """Index into TYPES."""
    second: Ints
    """Seconds from the window's begin."""


def make_people(users: int, decisions_per_user: float, rng: np.random.Generator) -> People:
    """Draw `users` users; some never decide, a few only NOPE."""
    kind = rng.random(users)
    newcomer = kind < 0.06
    activity = np.exp(0.9 * rng.standard_normal(users))
    activity[newcomer] = 0
    wanted = np.maximum(activity * decisions_per_user * users / max(activity.sum(), 1e-9), 1.0)
    centres = unit(rng.standard_normal((10, LATENT)))
    mix = centres[rng.integers(0, 10, (users, 2))].mean(axis=1)
    joined = np.where(rng.random(users) < 0.5, -400 * rng.random(users), DAYS * rng.random(users) ** 1.3)
    return People(
        taste=unit(unit(mix) + 0.9 * rng.standard_normal((users, LATENT)) / np.sqrt(LATENT)),
        drift=_DRIFT * unit(rng.standard_normal((users, LATENT))),
        joined=np.where(newcomer, DAYS - 7 * rng.random(users), joined),
        decisions=np.where(newcomer, 0, np.round(wanted)).astype(np.int64),
        leniency=0.5 * rng.standard_normal(users),
        hour=rng.integers(0, 24, users),
        never_likes=(kind >= 0.06) & (kind < 0.08),
    )


def make_decisions(people: People, catalogue: Catalogue, rng: np.random.Generator) -> Decisions:
    """Draw every user's sessions; no user decides twice about a video."""
    user, second, size = _sessions(people, rng)
    week = (second // (7 * _DAY)).clip(0, _WEEKS - 1)
    parts = []
    for number in range(_WEEKS):
        shown = np.cumsum(_exposure(catalogue, 7.0 * number))
        in_week = np.flatnonzero(week == number) if shown[-1] > 0 else np.empty(0, np.int64)
        for begin in range(0, len(in_week), _BLOCK):
            block = in_week[begin : begin + _BLOCK]
            parts.append(
                _decide(people, catalogue, rng, shown=shown, user=user[block], second=second[block], size=size[block])
            )
    ordinary = _wanted(_first_of_each(np.concatenate(parts, axis=1)), people.decisions, rng)
    user, video, kind, second = _first_of_each(
        np.concatenate([ordinary, _heavy_user(people, catalogue, rng)], axis=1)
    )
    return Decisions(user, video, kind, second)


def _sessions(people: People, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """User, begin (seconds) and number of decisions of every session."""
    drawn = np.ceil(people.decisions * _REPETITION).astype(np.int64)
    count = -(-drawn // _SESSION)
    user = np.repeat(np.arange(len(count)), count)
    first = np.maximum(people.joined, 0)[user]
    stay = (DAYS - first) * np.repeat(np.where(rng.random(len(count)) < 0.3, 0.4, 1.0), count)
    day = np.floor(first + stay * rng.random(len(user)))
    hour = (people.hour[user] + rng.normal(0, 2, len(user))) % 24
    second = np.minimum(day * _DAY + hour * 3600, DAYS * _DAY - 3600)
    # Nobody decides before they joined.
    second = np.maximum(second, people.joined[user] * _DAY + 60).astype(np.int64)
    size = np.full(len(user), _SESSION)
    last = np.cumsum(count)[count > 0] - 1
    size[last] = drawn[count > 0] - (count[count > 0] - 1) * _SESSION
    return user, np.minimum(second, DAYS * _DAY - 3600), size


def _exposure(catalogue: Catalogue, day: float) -> Floats:
    """[V]: how often a video is shown in the week from `day` on: by appeal, and by how new it is."""
    age = day - catalogue.release_day
    fresh = 0.25 + 1.5 * np.exp2(-np.maximum(age, 0) / _HALF_LIFE_DAYS)
    shown: Floats = np.where(catalogue.seen & (age >= 0), np.exp(_SHOWN_APPEAL * catalogue.appeal) * fresh, 0.0)
    return shown


def _decide(
    people: People,
    catalogue: Catalogue,
    rng: np.random.Generator,
    *,
    shown: Floats,
    user: Ints,
    second: Ints,
    size: Ints,
) -> Ints:
    """Decisions of a block of sessions, as rows (user, video, kind, second)."""
    draws = np.sort(rng.random((len(user), _CANDIDATES)), axis=1)
    candidates = np.searchsorted(shown, draws * shown[-1], side="right")
    taste = unit(people.taste[user] + people.drift[user] * (second / (DAYS * _DAY))[:, None])
    affinity = np.einsum("sd,scd->sc", taste, catalogue.content[candidates])
    score = _PICK_TASTE * affinity + rng.gumbel(size=affinity.shape)
    score[:, 1:][candidates[:, 1:] == candidates[:, :-1]] = -np.inf
    picked = np.argsort(-score, axis=1)[:, :_SESSION]
    video = np.take_along_axis(candidates, picked, axis=1)
    affinity = np.take_along_axis(affinity, picked, axis=1)
    kind = _judge(people, catalogue, rng, user=user[:, None], video=video, affinity=affinity)
    # On a grid several are decided at one moment.
    gaps = np.where(rng.random(video.shape) < 0.05, 0, rng.integers(2, 45, video.shape))
    moment = second[:, None] + np.cumsum(gaps, axis=1)
    wanted = np.arange(_SESSION) < size[:, None]
    who = np.broadcast_to(user[:, None], video.shape)
    return np.stack([column[wanted] for column in (who, video, kind, moment)])


def _judge(
    people: People, catalogue: Catalogue, rng: np.random.Generator, *, user: Ints, video: Ints, affinity: Floats
) -> Ints:
    """LIKE, NOPE or neither, on a surface of the session's: indices into TYPES."""
    score = _LIKE_BIAS + _LIKE_TASTE * affinity + _LIKE_APPEAL * catalogue.appeal[video] + people.leniency[user]
    likes = (rng.random(video.shape) < 1 / (1 + np.exp(-score))) & ~people.never_likes[user]
    surface = np.broadcast_to(rng.choice(3, (len(video), 1), p=[0.6, 0.3, 0.1]), video.shape)
    neither = rng.random(video.shape) < 0.03
    return np.where(neither, _OTHER + surface % 2, np.where(likes, surface, 3 + surface))


def _heavy_user(people: People, catalogue: Catalogue, rng: np.random.Generator) -> Ints:
    """One user, the first who decides, has decided about most of what is out, thousands when there are so many."""
    active = np.flatnonzero((people.decisions > 0) & ~people.never_likes & (people.joined < 0))[:1]
    released = np.flatnonzero(catalogue.seen & (catalogue.release_day < 0))
    video = rng.permutation(released)[: min(_HEAVY, len(released))] if len(active) else released[:0]
    user = np.full(len(video), active[0] if len(active) else 0)
    affinity = np.einsum("d,vd->v", people.taste[user[0]], catalogue.content[video]) if len(video) else np.empty(0)
    kind = _judge(people, catalogue, rng, user=user[:, None], video=video[:, None], affinity=affinity[:, None])[:, 0]
    second = np.sort(rng.integers(0, DAYS * _DAY - 3600, len(video)))
    return np.stack([user, video, kind, second])


def _first_of_each(rows: Ints) -> Ints:
    """Sort rows by user, time and video, and drop all but a user's first decision about a video."""
    user, video, _, second = rows
    rows = rows[:, np.lexsort((video, second, user))]
    user, video = rows[0], rows[1]
    by_pair = np.lexsort((np.arange(len(user)), video, user))
    repeated = (np.diff(user[by_pair]) == 0) & (np.diff(video[by_pair]) == 0)
    keep = np.ones(len(user), dtype=np.bool_)
    keep[by_pair[1:][repeated]] = False
    kept: Ints = rows[:, keep]
    return kept


def _wanted(rows: Ints, decisions: Ints, rng: np.random.Generator) -> Ints:
    """Keep a random choice of as many of each user's rows as are wanted."""
    user = rows[0]
    shuffled = np.lexsort((rng.random(len(user)), user))
    begin = np.searchsorted(user[shuffled], np.arange(len(decisions)))
    place = np.arange(len(user)) - begin[user[shuffled]]
    kept: Ints = rows[:, np.sort(shuffled[place < decisions[user[shuffled]]])]
    return kept
