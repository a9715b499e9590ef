"""Training and serving build the same vector: Python and TypeScript agree on any payload, or both refuse it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.contract import GOLDEN_TOLERANCE, UserPayload
from two_tower_assets.errors import ArtifactError
from two_tower_assets_tests.artifacts.versions import video_id
from two_tower_assets_tests.functions.deno import TESTS, Deno
from two_tower_assets_tests.functions.versions_for_deno import HYBRID

AS_OF = datetime(2026, 3, 1, 12, 30, 0, 123457, tzinfo=UTC)
MOST_VIDEO_IDS = 1000


class Typescript:
    """The functions' feature builder and tower, as a process that answers line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._ask, self._answers = process.stdin, process.stdout

    def embed(self, payload: str) -> tuple[list[float], list[float]] | None:
        """Features and embedding of a payload's JSON, or None where it is refused."""
        self._ask.write(f'{{"as_of": "{AS_OF.isoformat()}", "payload": {payload}}}\n')
        self._ask.flush()
        answer = json.loads(self._answers.readline())
        return None if "refused" in answer else (answer["features"], answer["embedding"])


@contextmanager
def _running(deno: Deno, folder: Path) -> Iterator[Typescript]:
    command = deno.command("run", "--no-check", f"--allow-read={folder}", TESTS / "features_server.ts", folder)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Typescript(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def typescript(deno: Deno, versions: Path) -> Iterator[Typescript]:
    with _running(deno, versions / HYBRID) as process:
        yield process


@pytest.fixture(scope="module")
def python(versions: Path) -> ModelFolder:
    return ModelFolder.open(versions / HYBRID)


def _in_python(model: ModelFolder, payload: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Features and embedding of a payload's JSON, read strictly, or None where it is refused."""
    try:
        read = UserPayload.model_validate_json(payload, strict=True)
        with np.errstate(over="ignore"):
            features_F = model.user_features(read, AS_OF)
        return features_F, model.embed(features_F[np.newaxis])[0]
    except (ValidationError, ArtifactError):
        return None


def _whole(number: float) -> int | float:
    """JSON of JavaScript has no 5.0: it is 5."""
    return int(number) if number.is_integer() else number


# Postgres's text holds no NUL, UTF-8 no half of a surrogate pair.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
counts = st.one_of(st.integers(0, 50), st.integers(-3, 2**53), st.just(0))
numbers = st.one_of(
    st.none(), st.floats(-1e4, 1e6).map(_whole), st.floats(allow_nan=False, allow_infinity=False).map(_whole)
)
_DAY, _TIME, _OFFSET = (
    r"20[0-3][0-9]-[01][0-9]-[0-3][0-9]",
    r"[0-2][0-9]:[0-6][0-9]:[0-6][0-9]",
    r"[01][0-9]:[0-5][0-9]",
)
# `hypothesis` wants bounds without a zone, and gives the zone itself.
_BOUNDS = [datetime(year, 1, 2) for year in (1, 2000, 2027, 9999)]  # noqa: DTZ001
moments = st.one_of(
    st.none(),
    st.datetimes(_BOUNDS[0], _BOUNDS[3], timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes(_BOUNDS[1], _BOUNDS[2]).map(datetime.isoformat),
    st.from_regex(
        rf"{_DAY}[T ]{_TIME}(\.[0-9]{{1,6}})?(Z|[+-]{_OFFSET})",
        fullmatch=True,
        alphabet="0123456789-T :.Z+",
    ),
)
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=4,
)


def _names(known: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.one_of(st.sampled_from(known), texts, st.just("__proto__")), max_size=30)


def _maybe(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Each key there or not, and unknown ones beside."""
    return st.fixed_dictionaries({}, optional={**fields, "added_later": anything})


TAGS = ("日本語", "emoji 👩‍👩‍👧", 'quo"ted', "tag 3", "tag 17", "tag 39")
VIDEOS = tuple(video_id(n) for n in (0, 1, 699))
FIELDS = {
    "profile": _maybe({"created_at": moments}),
    "decision_stats": _maybe(
        {
            "like_count": counts,
            "nope_count": counts,
            "decision_count": counts,
            "recent_like_at": moments,
            "average_like_hour": numbers,
        }
    ),
    "price_stats": _maybe({"mean": numbers, "median": numbers}),
    "tags": _names(TAGS),
    "performers": _names(("performer 0", "performer 9")),
    "liked_video_ids": _names(VIDEOS),
    "noped_video_ids": _names(VIDEOS),
}
payloads = st.fixed_dictionaries({"user_id": texts}, optional={**FIELDS, "added_later": anything})


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A payload in which one value is of any other type."""
    payload = draw(payloads)
    path = draw(st.sampled_from([(), *((key,) for key in ("user_id", *FIELDS)), *_inner_paths()]))
    value = draw(anything)
    if not path:
        return payload if not isinstance(value, dict) else value
    holder = payload
    for key in path[:-1]:
        holder = holder.setdefault(key, {})
    holder[path[-1]] = value
    return payload


def _inner_paths() -> list[tuple[str, str]]:
    stats = ("like_count", "nope_count", "decision_count", "recent_like_at", "average_like_hour")
    return [
        ("profile", "created_at"),
        *(("decision_stats", name) for name in stats),
        ("price_stats", "mean"),
        ("price_stats", "median"),
    ]


_FREELY = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def _require_equal(payload: Any, typescript: Typescript, python: ModelFolder) -> bool:
    """Whether both made a vector of it; fails where only one did, or the numbers differ."""
    text = json.dumps(payload, ensure_ascii=False)
    ours, theirs = _in_python(python, text), typescript.embed(text)
    assert (ours is None) == (theirs is None), f"{'Python' if ours is None else 'TypeScript'} alone refuses {text}"
    if ours is None or theirs is None:
        return False
    features_F, embedding_D = ours
    np.testing.assert_allclose(theirs[0], features_F, rtol=1e-6, atol=GOLDEN_TOLERANCE)
    np.testing.assert_allclose(theirs[1], embedding_D, rtol=0, atol=GOLDEN_TOLERANCE)
    return True


@_FREELY
@given(payload=payloads)
def test_any_payload_gives_the_same_vector_or_is_refused_by_both(
    payload: dict[str, Any], typescript: Typescript, python: ModelFolder
) -> None:
    """Missing keys, nulls, huge numbers, any Unicode, times in any offset and out of the calendar."""
    _require_equal(payload, typescript, python)


@_FREELY
@given(payload=spoilt())
def test_a_value_of_another_type_is_treated_alike(
    payload: dict[str, Any], typescript: Typescript, python: ModelFolder
) -> None:
    """Wrong types anywhere: what one refuses, the other does not make a vector of."""
    _require_equal(payload, typescript, python)


def test_the_agreement_is_not_an_agreement_to_refuse(typescript: Typescript, python: ModelFolder) -> None:
    """Ordinary payloads are embedded by both, ten thousand names among them; one id too many is refused by both."""
    stats = {"like_count": 2500, "decision_count": 5000, "recent_like_at": "2026-03-01T00:00:00.000001+00:00"}
    heavy = {
        "user_id": "u",
        "decision_stats": stats,
        "tags": [*TAGS] * 1700,
        "liked_video_ids": ["x"] * MOST_VIDEO_IDS,
    }
    assert _require_equal({"user_id": "u"}, typescript, python)
    assert _require_equal(heavy, typescript, python)
    heavy["liked_video_ids"] = ["x"] * (MOST_VIDEO_IDS + 1)
    assert not _require_equal(heavy, typescript, python)
    assert not _require_equal({"user_id": "u", "price_stats": {"mean": 1e300}}, typescript, python)
