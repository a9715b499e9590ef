"""A mapping whose values are made when they are asked for, and kept by whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Lazily(Mapping[str, _Value], Generic[_Value]):
    """Names and how the value of each is made; going through the items holds one at a time."""

    def __init__(self, makers: Mapping[str, Callable[[], _Value]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> _Value:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)
