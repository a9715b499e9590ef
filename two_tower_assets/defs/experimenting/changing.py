"""Creating, starting, ramping, stopping and discarding, each with the sentence that says what was done."""

from __future__ import annotations

from typing import Any

from two_tower_assets.defs.experimenting.asked import experiment_asked, share_asked
from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.experiments import registry


def create(url: str, name: str, *, note: str | None, **asked: Any) -> str:
    """Write a draft; further arguments as of `experiment_asked`."""
    experiment = experiment_asked(name, **asked)
    with connected(url) as connection:
        registry.create(connection, experiment, note=note)
    return f"{name} is a draft; `two-tower experiment start {name} --share 0.1` starts it"


def start(url: str, name: str, share: str, at: str | None, *, note: str | None) -> str:
    """Start a draft; shares are given as they were typed."""
    asked, begin = share_asked(share, "--share"), None if at is None else share_asked(at, "--from")
    with connected(url) as connection:
        traffic = registry.start(connection, name, asked, at=begin, note=note)
    return f"{name} runs for the users {traffic} of all"


def ramp(url: str, name: str, share: str, *, note: str | None) -> str:
    """Give it more users."""
    with connected(url) as connection:
        traffic = registry.ramp(connection, name, share_asked(share, "--share"), note=note)
    return f"{name} runs for the users {traffic} of all"


def stop(url: str, name: str, *, note: str | None) -> str:
    """End it."""
    with connected(url) as connection:
        registry.stop(connection, name, note=note)
    return f"{name} is stopped: everybody is served by the live release"


def discard(url: str, name: str, *, note: str | None) -> str:
    """Take a draft away."""
    with connected(url) as connection:
        registry.discard(connection, name, note=note)
    return f"{name} is gone"
