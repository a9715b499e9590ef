"""The evaluator of expressions that the workflow tests stand on."""

from __future__ import annotations

import pytest

from two_tower_assets_tests.workflows.runner.expressions import Contexts, Unknown, Value, evaluate, holds, resolve

CONTEXTS = Contexts({"inputs": {"yes": True, "no": False}, "secrets": {"KEY": "k"}, "steps": {"a": {"outcome": "x"}}})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("inputs.yes && 'a' || 'b'", "a"),
        ("inputs.no && 'a' || 'b'", "b"),
        ("inputs.no && secrets.KEY || ''", ""),
        ("inputs.yes && secrets.KEY || ''", "k"),
        ("!inputs.no && (inputs.no || inputs.yes)", True),
        ("inputs.no || inputs.yes && inputs.no", False),
        ("steps.a.outcome != 'x'", False),
        ("'it''s' == 'it''s'", True),
        ("secrets.UNSET", ""),
        ("null", None),
    ],
)
def test_values(text: str, value: Value) -> None:
    """Operators give operands, bind as GitHub's do, and an unset secret is empty."""
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize(
    "text", ["inputs.maybe", "env.X", "inputs", "contains('a', 'b')", "1 == '1'", "(inputs.yes", "a b", "'a", ""]
)
def test_what_is_not_known_is_an_error(text: str) -> None:
    """Unknown names and functions, mixed kinds and broken syntax are refused."""
    with pytest.raises(Unknown):
        evaluate(text, CONTEXTS)


def test_conditions_mind_failures() -> None:
    """After a failure only conditions that name a status function can hold."""
    failed = Contexts(CONTEXTS.values, failed=True)
    assert holds(None, CONTEXTS)
    assert not holds(None, failed)
    assert not holds("inputs.yes", failed)
    assert holds("${{ !cancelled() && inputs.yes }}", failed)
    assert holds("always()", failed)


def test_strings_are_resolved_in_place() -> None:
    """Every placeholder is replaced, booleans in lower case."""
    assert resolve("${{ inputs.yes }}/${{ secrets.KEY }}/x", CONTEXTS) == "true/k/x"
