"""A name for work by what it is made of, so that the same work is found again in another process."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from types import FunctionType, MethodType
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel
from torch import Tensor, nn


def content_hash(*values: object) -> str:
    """First 24 hex digits of the SHA-256 over values and all that they hold.

    Arrays, tables, tensors, modules, functions and their closures, our own objects and plain values are known; what
    an object keeps in a cached property follows from the rest and does not count.

    Raises:
        TypeError: something is of another kind.
    """
    digest = hashlib.sha256()
    for part in _parts(values):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:24]


def _parts(value: Any) -> Iterator[bytes]:
    yield type(value).__qualname__.encode()
    match value:
        case None | bool() | int() | float() | str() | np.dtype() | datetime():
            yield repr(value).encode()
        case np.ndarray() | np.generic():
            yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
        case pl.DataFrame():
            yield _arrow(value)
        case pl.Series():
            yield _arrow(value.to_frame())
        case BaseModel():
            yield value.model_dump_json().encode()
        case Mapping() | list() | tuple():
            yield str(len(value)).encode()
            for held in _held(value):
                yield from _parts(held)
        case _:
            yield from _parts_of_object(value)


def _arrow(table: pl.DataFrame) -> bytes:
    """A table's bytes, however it was put together."""
    held = io.BytesIO()
    table.rechunk().write_ipc(held, compression="uncompressed")
    return held.getvalue()


def _held(values: Mapping[Any, Any] | list[Any] | tuple[Any, ...]) -> Iterable[Any]:
    return values.items() if isinstance(values, Mapping) else values


def _parts_of_object(value: Any) -> Iterator[bytes]:
    if isinstance(value, Tensor):
        yield from _parts(value.detach().cpu().numpy())
    elif isinstance(value, nn.Module):
        yield from _parts(dict(value.state_dict()))
    elif isinstance(value, functools.partial):
        yield from _parts((value.func, value.args, value.keywords))
    elif isinstance(value, FunctionType | MethodType):
        yield from _callable_parts(value)
    else:
        yield from _parts(_fields_of(value))


def _callable_parts(value: Any) -> Iterator[bytes]:
    """Which function it is, whose method, and what it closes over."""
    yield f"{value.__module__}.{value.__qualname__}".encode()
    if hasattr(value, "__self__"):
        yield from _parts(value.__self__)
    for cell in getattr(value, "__closure__", None) or ():
        yield from _parts(cell.cell_contents)


def _fields_of(value: Any) -> dict[str, Any]:
    kind = type(value)
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if kind.__module__.startswith("two_tower_assets"):
        kept = {name for name in dir(kind) if isinstance(getattr(kind, name), functools.cached_property)}
        return {name: vars(value)[name] for name in sorted(vars(value)) if name not in kept}
    message = f"{kind.__module__}.{kind.__qualname__} has no content that is known here"
    raise TypeError(message)
