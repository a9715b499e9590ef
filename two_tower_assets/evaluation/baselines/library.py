"""The way to `implicit`, which need not be installed: its models, on one thread, so that a fit repeats bit by bit.

With several threads BPR updates the same factors from all of them in any order (Hogwild); ALS would repeat, and
is limited by memory rather than by threads at these sizes.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from scipy.sparse import csr_matrix

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines.threads import one_blas_thread

SEED: Final = 0
THREADS: Final = 1

MAX_LIKES: Final = 2_000_000
"""More take these methods, whose grids are fitted on one thread, an hour or more each."""

_REMEDY: Final = "Install it with `pip install 'two-tower-assets[baselines]'`."


def model_class(module: str, name: str) -> Callable[..., Any]:
    """Return one of implicit's classes.

    Raises:
        EvaluationError: the library is not installed, or does not load here.
    """
    found: Callable[..., Any] = getattr(_load(module), name)
    return found


def refuse_too_many(likes: int) -> None:
    """Leave a method out where it cannot keep up.

    Raises:
        EvaluationError: there are more than `MAX_LIKES`.
    """
    if likes > MAX_LIKES:
        raise EvaluationError(
            f"{likes:,} LIKEs are more than the {MAX_LIKES:,} that this method is fitted on",
            remedy="Nothing is to be done: the other methods are measured without it.",
        )


def fit_model(make: Callable[..., Any], like_UM: csr_matrix, **parameters: float) -> Any:
    """Make a model and fit it on users × videos.

    Raises:
        EvaluationError: the fit diverged.
    """
    diverged = _load("implicit.recommender_base").ModelFitError
    with one_blas_thread():
        model = make(**parameters, num_threads=THREADS, random_state=SEED)
        try:
            model.fit(like_UM, show_progress=False)
        except diverged as error:
            raise EvaluationError(
                f"The fit diverged with {parameters}: {error}", remedy="Leave these parameters out of the grid."
            ) from None
    return model


def _load(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise EvaluationError(
            f"The library `implicit` is not available: {error}", where=module, remedy=_REMEDY
        ) from None
