"""A name for work by what it is made of, so that the same work is found again in another process."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn


def content_hash(*values: object) -> str:
    """First 24 hex digits of the SHA-256 over values and all that they hold.

    Arrays, tensors, modules, functions and their closures, our own objects and plain values are known; what an object
    keeps in a cached property follows from the rest and does not count.

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
        case None | bool() | int() | float() | str():
            yield repr(value).encode()
        case np.ndarray():
            yield f"{value.dtype}{value.shape}".encode() + np.ascontiguousarray(value).tobytes()
        case np.generic():
            yield value.tobytes()
        case Tensor():
            yield from _parts(value.detach().cpu().numpy())
        case nn.Module():
            yield from _parts(value.state_dict())
        case BaseModel():
            yield value.model_dump_json().encode()
        case torch.dtype() | np.dtype():
            yield str(value).encode()
        case Mapping():
            for key, held in value.items():
                yield from _parts(key)
                yield from _parts(held)
        case list() | tuple() | range():
            for held in value:
                yield from _parts(held)
        case functools.partial():
            yield from _parts((value.func, value.args, value.keywords))
        case _ if callable(value) and hasattr(value, "__qualname__"):
            yield from _callable_parts(value)
        case _:
            yield from _object_parts(value)


def _callable_parts(value: Any) -> Iterator[bytes]:
    """Which function it is, whose method, and what it closes over."""
    yield f"{value.__module__}.{value.__qualname__}".encode()
    if hasattr(value, "__self__"):
        yield from _parts(value.__self__)
    for cell in getattr(value, "__closure__", None) or ():
        yield from _parts(cell.cell_contents)


def _object_parts(value: Any) -> Iterator[bytes]:
    kind = type(value)
    if is_dataclass(value):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
    elif kind.__module__.startswith("two_tower_assets"):
        kept = {name for name in dir(kind) if isinstance(getattr(kind, name), functools.cached_property)}
        held = {name: vars(value)[name] for name in sorted(vars(value)) if name not in kept}
    elif kind.__module__ == "datetime":
        held = {"text": str(value)}
    else:
        message = f"{kind.__module__}.{kind.__qualname__} has no content that is known here"
        raise TypeError(message)
    yield from _parts(held)
