"""Every key of the script pipeline's settings file, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from two_tower_assets.settings.evaluation import EvaluationSettings

_NO_BOUND: Final = 1_000_000
_NO_ZERO: Final = "0 was no bound, now it is an empty vocabulary"
_TEST_QUANTILE: Final = EvaluationSettings().test_quantile


@dataclass(frozen=True)
class Carried:
    """A key that lives on under another name."""

    to: str
    """`table.key` of the settings."""
    note: str = ""
    """What is different now."""
    translate: Callable[[object], object] = lambda value: value
    """From the older value to the newer one; raises ValueError with what is wrong."""


@dataclass(frozen=True)
class Fixed:
    """A key that has one possible value left; another one is refused."""

    value: object
    why: str


@dataclass(frozen=True)
class Dropped:
    """A key that nothing depends on any more, whatever its value."""

    why: str


def _largest(value: object) -> object:
    return _NO_BOUND if type(value) is int and value <= 0 else value


def _rarest(value: object) -> object:
    return 1 if type(value) is int and value < 1 else value


def _source(value: object) -> object:
    if type(value) is not bool:
        raise ValueError("true or false is expected")
    return "rpc" if value else "frames"


def _validation_from(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < _TEST_QUANTILE:
        raise ValueError(f"a share above 0 and below {_TEST_QUANTILE} is expected: the validation window chooses")
    return round(_TEST_QUANTILE - value, 6)


_FEATURES: Final = Dropped("that pipeline never read it; model, SQL and Edge Functions agree on one list of features")
_OPTIMIZER: Final = Dropped("that pipeline never read it; AdamW with PyTorch's betas and eps, there and here")

KEYS: Final[dict[str, Carried | Fixed | Dropped]] = {
    "experiment_name": Dropped("a version is named by the time of its fit and the commit"),
    "seed": Carried("training.seed"),
    "artifacts.embedding_dim": Fixed(256, "tables, index and Edge Functions hold vectors of 256 numbers"),
    "artifacts.max_tag_vocab": Carried("features.max_tag_vocab", _NO_ZERO, _largest),
    "artifacts.max_actress_vocab": Carried("features.max_actress_vocab", _NO_ZERO, _largest),
    "artifacts.min_tag_freq": Carried("features.min_tag_freq", translate=_rarest),
    "artifacts.min_actress_freq": Carried("features.min_actress_freq", translate=_rarest),
    "training.epochs": Dropped("`training.schedules` are lengths in steps, one is chosen on the validation window"),
    "training.batch_size": Carried("training.batch_size", "now each example is also a negative for the others"),
    "training.lr": Carried("training.learning_rate", "was constant, now the peak of a one-cycle schedule"),
    "training.weight_decay": Carried("training.weight_decay", "now of matrices alone"),
    "training.negative_sampling_ratio": Dropped(
        "each LIKE is compared with the rest of its batch and `training.catalogue_negatives` draws a step"
    ),
    "training.train_val_split": Carried(
        "evaluation.validation_quantile",
        f"was a random share, now one of time: what lies before `evaluation.test_quantile` ({_TEST_QUANTILE})",
        translate=_validation_from,
    ),
    "training.early_stopping_patience": Dropped(
        "there is no early stopping, a chosen one of `training.schedules` runs to its end"
    ),
    "training.gradient_clip_norm": Dropped(
        "nothing is clipped: towers give unit vectors, and a loss that is not finite stops the fit"
    ),
    "training.use_rpc_features": Carried("features.feature_source", "true is rpc, false is frames", _source),
    "features.numeric": _FEATURES,
    "features.bucketized": _FEATURES,
    "features.aggregations.recency_days": _FEATURES,
    "features.aggregations.tag_histogram": _FEATURES,
    "features.aggregations.actress_histogram": _FEATURES,
    "optimizer.name": _OPTIMIZER,
    "optimizer.parameters.betas": _OPTIMIZER,
    "optimizer.parameters.eps": _OPTIMIZER,
    "logging.every_n_steps": Dropped(
        "that pipeline never read it; every fit's curves are kept, `training.validate_every` says how fine"
    ),
    "export.onnx_opset": Dropped("the exporter's own opset is written, which onnxruntime-web runs"),
    "export.onnx_user_input_name": Fixed("user_features", "the Edge Functions feed the tensor of this name"),
}

TABLES: Final = frozenset(key.rsplit(".", depth)[0] for key in KEYS for depth in range(1, key.count(".") + 1))
"""Keys that hold keys."""

SPELLINGS: Final = {key.rsplit(".", 1)[-1]: key for key in KEYS} | {key: key for key in KEYS}
"""Each key with and without its tables, to what it is in full."""
