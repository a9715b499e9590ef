"""Faults of the server that holds the releases' files."""

from __future__ import annotations

import time
from collections.abc import Sequence

import httpx

from two_tower_assets_tests.e2e.faults.case import Case, Happen, said
from two_tower_assets_tests.e2e.faults.other_dimension import other_dimension
from two_tower_assets_tests.e2e.faults.world import World
from two_tower_assets_tests.publishing.releasing import NEW, OLD
from two_tower_assets_tests.storage.fault_proxy import Kind

_FILES = "/storage/"
LOOK_SECONDS = 15.0
"""How long a function may take to look at a new release and refuse it."""


def _at_start(kind: Kind, name: str = "") -> Happen:
    def happen(world: World) -> Sequence[httpx.Response]:
        with world.fresh() as fresh:
            with fresh.broken(kind, _FILES, name):
                answers = fresh.ask()
            assert all(function.is_up for function in fresh.functions)
            _until(fresh, "200")
        return answers

    return happen


def _at_a_flip(kind: Kind, name: str = "") -> Happen:
    def happen(world: World) -> Sequence[httpx.Response]:
        with world.broken(kind, _FILES, name):
            world.flip(OLD)
            answers = _until(world, "200 of the last good release")
        world.flip(NEW)
        return answers

    return happen


def _other_dimension(world: World) -> Sequence[httpx.Response]:
    with other_dimension(world.released, OLD):
        world.flip(OLD)
        answers = _until(world, "200 of the last good release")
        world.flip(NEW)
    return answers


def _until(world: World, wanted: str) -> list[httpx.Response]:
    """All answers from now on, to the first that both functions say the wanted thing in."""
    answers: list[httpx.Response] = []
    end = time.monotonic() + LOOK_SECONDS
    while time.monotonic() < end:
        latest = world.ask()
        answers += latest
        if {said(answer) for answer in latest} == {wanted}:
            break
        time.sleep(0.05)
    return answers


_LAST_GOOD = frozenset({"200", "200 of the last good release"})
_NO_MODEL = frozenset({"503 model_unavailable"})

CASES = (
    Case("artifact server down, at a cold start", _at_start("reset"), _NO_MODEL),
    Case("artifact server silent, at a cold start", _at_start("silence", "user_tower.onnx"), _NO_MODEL),
    Case("one changed byte, at a cold start", _at_start("altered reply", "user_tower.onnx"), _NO_MODEL),
    Case("artifact server down, at a flip", _at_a_flip("reset"), _LAST_GOOD),
    Case("artifact server silent, at a flip", _at_a_flip("silence", "user_tower.onnx"), _LAST_GOOD),
    Case("503 of a gateway before it, at a flip", _at_a_flip("503 of a gateway"), _LAST_GOOD),
    Case("one changed byte, so another hash, at a flip", _at_a_flip("altered reply", "user_tower.onnx"), _LAST_GOOD),
    Case("an HTML page for the manifest, at a flip", _at_a_flip("html page", "manifest.json"), _LAST_GOOD),
    Case("half a file, at a flip", _at_a_flip("cut reply", "normalizer.json"), _LAST_GOOD),
    Case("a release whose vectors have 128 dimensions, at a flip", _other_dimension, _LAST_GOOD),
)
