from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.distributed.content import content_hash
from two_tower_assets_tests.training.tastes import SMALL, data_of, tastes


def times(factor: float) -> Callable[[float], float]:
    return lambda value: value * factor


def test_equal_work_has_one_name_and_another_has_another(tmp_path: Path) -> None:
    """Training data read twice, whatever was asked of them before; one decision less, or another moment, differs."""
    data = data_of(tastes(), tmp_path / "one")
    name = content_hash(data, SMALL.training)
    assert len(data.likes) > 0
    assert content_hash(data, SMALL.training) == name
    assert content_hash(data_of(tastes(), tmp_path / "two"), SMALL.training) == name
    assert content_hash(replace(data, until=data.until - 1), SMALL.training) != name
    assert content_hash(data_of(tastes(decisions=14), tmp_path / "three"), SMALL.training) != name
    assert content_hash(data, SMALL.training.model_copy(update={"seed": 1})) != name


def test_functions_are_named_with_what_they_hold() -> None:
    """Closures and bound arguments count, and where a value stands."""
    assert content_hash(times(2.0)) == content_hash(times(2.0)) != content_hash(times(3.0))
    assert content_hash(partial(times, 2.0)) != content_hash(partial(times, 3.0))
    assert content_hash([np.zeros(2)], [1]) != content_hash([np.zeros(2), [1]])
    assert content_hash([[1], 2]) != content_hash([[1, 2]])


def test_what_is_not_known_has_no_name() -> None:
    """Rather than one that other content would have, too."""
    with pytest.raises(TypeError, match=r"re\.Pattern has no content"):
        content_hash(re.compile("a"))
