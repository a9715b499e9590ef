"""The payloads of `golden_vectors.json`: made up, of no real person, one for each way a payload can be unusual.

Names come from the version's own vocabularies, by fixed strides, so a version always has the same cases.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from two_tower_assets.contract import MAX_VIDEO_IDS, DecisionStats, PriceStats, ProfilePayload, UserPayload
from two_tower_assets.features.space import FeatureSpace

_ODD_NAMES: Final = (
    "no such tag",
    "",
    " leading blank",
    "double \"quotes\" and 'single'",
    "back\\slash",
    "日本語のタグ",
    "👩‍👩‍👧 family",
    "İstanbul",
    "line\nbreak",
)
"""Unknown to any vocabulary, or nearly so: a client must compare them exactly and ignore them."""

Case = tuple[str, datetime, UserPayload]


def golden_cases(space: FeatureSpace, *, as_of: datetime) -> Iterator[Case]:
    """Yield (name, moment, payload); `as_of` is an aware datetime that all moments lie around."""
    now = as_of.astimezone(UTC)
    yield "no decisions", now, _payload(1, created_at=now - timedelta(days=30))
    yield "nothing known", now, _nulls(2)
    yield "heavy user", now, _heavy(3, space, now)
    yield "one like", now + timedelta(minutes=7), _one_like(4, space, now)
    yield "only nopes", now, _only_nopes(5, now)
    yield "only unknown names", now, _payload(6, likes=9, recent=now, tags=_ODD_NAMES, performers=_ODD_NAMES)
    yield "known among odd names", now, _odd_and_known(7, space, now)
    yield "decisions before the profile", now - timedelta(days=400), _newer_profile(8, space, now)
    yield "huge prices", now, _payload(9, likes=2, recent=now, prices=(1e7, 12_345_678.9), tags=space.tags[:2])
    yield "free and negative prices", now, _payload(10, likes=3, recent=now, prices=(-1.5, 0.0), tags=space.tags[-1:])
    yield "one tag a thousand times", now, _repeated(11, space, now)
    yield "every name once", now, _payload(12, likes=1, recent=now, tags=space.tags, performers=space.performers)
    yield "like hour out of range", now, _payload(13, likes=1, recent=now, hour=24.5, tags=space.tags[:1])
    if space.videos:
        yield from _video_cases(space.videos, now)


def _video_cases(videos: tuple[str, ...], now: datetime) -> Iterator[Case]:
    """What lists of ids can hold; one video in both is possible for a client, though no database has it."""
    some, mixed = videos[:5], (*_unknown(3), *videos[::3])[:MAX_VIDEO_IDS]
    yield "known among unknown videos", now, _decided(14, now, mixed, (*videos[1:4], *_unknown(2)))
    yield "only unknown videos", now, _decided(15, now, _unknown(9), ("", f" {videos[0]}", f"{videos[-1]}0"))
    yield "the same videos liked and noped", now, _decided(16, now, some, some[::-1])
    yield "only noped videos", now, _decided(17, now, (), videos[-2:])
    liked, noped = (*videos[:600], *_unknown(MAX_VIDEO_IDS)), (*_unknown(700), *videos[-300:], *_unknown(300))
    yield "a thousand videos each", now, _decided(18, now, liked[:MAX_VIDEO_IDS], noped[:MAX_VIDEO_IDS])


def _unknown(count: int) -> tuple[str, ...]:
    return tuple(f"ffffffff-ffff-4fff-bfff-{number:012d}" for number in range(count))


def _decided(number: int, now: datetime, liked: tuple[str, ...], noped: tuple[str, ...]) -> UserPayload:
    return _payload(
        number,
        created_at=now - timedelta(days=60),
        likes=len(liked),
        nopes=len(noped),
        recent=now - timedelta(hours=9) if liked else None,
        liked_videos=liked,
        noped_videos=noped,
    )


def _payload(
    number: int,
    *,
    created_at: datetime | None = None,
    likes: int = 0,
    nopes: int = 0,
    others: int = 0,
    recent: datetime | None = None,
    hour: float | None = 12.0,
    prices: tuple[float | None, float | None] = (0.0, 0.0),
    tags: tuple[str, ...] = (),
    performers: tuple[str, ...] = (),
    liked_videos: tuple[str, ...] = (),
    noped_videos: tuple[str, ...] = (),
) -> UserPayload:
    return UserPayload(
        user_id=f"00000000-0000-4000-8000-{number:012d}",
        profile=ProfilePayload(created_at=created_at),
        decision_stats=DecisionStats(
            like_count=likes,
            nope_count=nopes,
            decision_count=likes + nopes + others,
            recent_like_at=recent,
            average_like_hour=hour,
        ),
        price_stats=PriceStats(mean=prices[0], median=prices[1]),
        tags=tags,
        performers=performers,
        liked_video_ids=liked_videos,
        noped_video_ids=noped_videos,
    )


def _nulls(number: int) -> UserPayload:
    return _payload(number, hour=None, prices=(None, None))


def _heavy(number: int, space: FeatureSpace, now: datetime) -> UserPayload:
    """Thousands of decisions whose tag counts fall off like a real catalogue's."""
    tags = tuple(tag for rank, tag in enumerate(space.tags) for _ in range(max(1, 240 // (rank + 1))))
    performers = tuple(name for rank, name in enumerate(space.performers[::2]) for _ in range(1 + 40 // (rank + 1)))
    return _payload(
        number,
        created_at=now - timedelta(days=2190, hours=5, microseconds=1),
        likes=2871,
        nopes=9012,
        others=44,
        recent=now - timedelta(seconds=1),
        hour=17.346917450365727,
        prices=(1834.7182166492512, 1499.5),
        tags=tags,
        performers=performers,
    )


def _one_like(number: int, space: FeatureSpace, now: datetime) -> UserPayload:
    return _payload(
        number,
        created_at=now - timedelta(hours=1),
        likes=1,
        recent=now,
        hour=0.0,
        prices=(980.0, 980.0),
        tags=space.tags[1:4],
        performers=space.performers[:1],
    )


def _only_nopes(number: int, now: datetime) -> UserPayload:
    return _payload(number, created_at=now - timedelta(days=3), nopes=120, prices=(None, None))


def _odd_and_known(number: int, space: FeatureSpace, now: datetime) -> UserPayload:
    known = space.tags[::7]
    return _payload(
        number,
        created_at=now - timedelta(days=90),
        likes=12,
        nopes=30,
        recent=now - timedelta(days=2),
        hour=23.0,
        prices=(300.25, 300.0),
        tags=(*_ODD_NAMES, *known, *known[:2], *(tag.upper() for tag in known)),
        performers=(*space.performers[::5], *_ODD_NAMES),
    )


def _newer_profile(number: int, space: FeatureSpace, now: datetime) -> UserPayload:
    """A profile made after the moment asked about, as imported histories have."""
    return _payload(
        number,
        created_at=now - timedelta(days=10),
        likes=5,
        nopes=1,
        recent=now - timedelta(days=401),
        hour=3.6,
        prices=(2500.0, 2450.0),
        tags=space.tags[::3],
        performers=space.performers[::3],
    )


def _repeated(number: int, space: FeatureSpace, now: datetime) -> UserPayload:
    return _payload(
        number,
        created_at=now - timedelta(days=700),
        likes=1000,
        nopes=1,
        recent=now - timedelta(days=350),
        hour=11.5,
        prices=(500.0, 500.0),
        tags=space.tags[:1] * 1000,
        performers=space.performers[-1:] * 999,
    )
