"""GitHub's expressions, as far as the workflows use them; anything else is an error, not a guess."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | bool | float | None
TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+(?:\.\d+)?)|([A-Za-z_][\w.-]*)|(&&|\|\||[=!]=|[!()]))")
PLACEHOLDER = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
LITERALS: Mapping[str, Value] = {"true": True, "false": False, "null": None}


class Unknown(Exception):  # noqa: N818 - what it says
    """An expression that GitHub would refuse, or a name that no context has."""


@dataclass(frozen=True)
class Contexts:
    """What an expression may name, and how the job stands."""

    values: Mapping[str, Any]
    failed: bool = False

    def lookup(self, path: str) -> Value:
        """A value by its dotted path; a secret that is not set is an empty string."""
        found: Any = self.values
        first, *rest = path.split(".")
        for name in (first, *rest):
            if name not in found:
                if first == "secrets":
                    return ""
                raise Unknown(path)
            found = found[name]
        if isinstance(found, Mapping):
            raise Unknown(path)
        return found  # type: ignore[no-any-return]

    def call(self, name: str) -> Value:
        """A status function."""
        statuses = {"always": True, "cancelled": False, "success": not self.failed, "failure": self.failed}
        if name not in statuses:
            raise Unknown(f"{name}()")
        return statuses[name]


def evaluate(text: str, contexts: Contexts) -> Value:
    """The value of one expression without its `${{ }}`."""
    tokens = _tokens(text)
    value = _either(tokens, contexts)
    if tokens:
        raise Unknown(text)
    return value


def resolve(text: object, contexts: Contexts) -> str:
    """A string with every `${{ }}` in it replaced, written as the runner writes values."""
    return PLACEHOLDER.sub(lambda match: _written(evaluate(match[1], contexts)), _written(text))  # type: ignore[arg-type]


def holds(condition: str | None, contexts: Contexts) -> bool:
    """Whether an `if:` lets its step or job run; without a status function, only while nothing failed."""
    text = "success()" if condition is None else condition.strip()
    if match := re.fullmatch(PLACEHOLDER, text):
        text = match[1]
    names_status = re.search(r"\b(always|cancelled|success|failure)\(\)", text)
    value = bool(evaluate(text, contexts))
    return value if names_status else value and not contexts.failed


def _tokens(text: str) -> list[str]:
    tokens, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise Unknown(text)
        tokens.append(match[0].strip())
        at = match.end()
    return tokens


def _either(tokens: list[str], contexts: Contexts) -> Value:
    return _chain(tokens, "||", _both, contexts)


def _both(tokens: list[str], contexts: Contexts) -> Value:
    return _chain(tokens, "&&", _equality, contexts)


def _chain(
    tokens: list[str], operator: str, part: Callable[[list[str], Contexts], Value], contexts: Contexts
) -> Value:
    """`a || b` and `a && b` give one of their operands, as in JavaScript; both sides are always read."""
    value = part(tokens, contexts)
    while tokens and tokens[0] == operator:
        tokens.pop(0)
        other = part(tokens, contexts)
        value = other if bool(value) == (operator == "&&") else value
    return value


def _equality(tokens: list[str], contexts: Contexts) -> Value:
    value = _single(tokens, contexts)
    if tokens and tokens[0] in {"==", "!="}:
        wanted = tokens.pop(0) == "=="
        other = _single(tokens, contexts)
        # GitHub converts operands of different kinds to numbers; no workflow here may lean on that.
        if type(value) is not type(other):
            message = f"{value!r} and {other!r} are of different kinds"
            raise Unknown(message)
        return (value == other) == wanted
    return value


def _single(tokens: list[str], contexts: Contexts) -> Value:
    if not tokens:
        raise Unknown("the expression ends too early")
    token = tokens.pop(0)
    if token == "!":  # noqa: S105 - an operator
        return not _single(tokens, contexts)
    if token == "(":  # noqa: S105 - same
        value = _either(tokens, contexts)
        _expect(tokens, ")")
        return value
    return _plain(token, tokens, contexts)


def _plain(token: str, tokens: list[str], contexts: Contexts) -> Value:
    """A literal, a status function or a name."""
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token[0].isdigit():
        return float(token)
    if token in LITERALS:
        return LITERALS[token]
    if not (token[0].isalpha() or token[0] == "_"):
        raise Unknown(token)
    if tokens[:2] == ["(", ")"]:
        del tokens[:2]
        return contexts.call(token)
    return contexts.lookup(token)


def _expect(tokens: list[str], token: str) -> None:
    if not tokens or tokens.pop(0) != token:
        message = f"a {token} is missing"
        raise Unknown(message)


def _written(value: Value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
