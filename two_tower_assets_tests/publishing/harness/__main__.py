"""Print what the kill harness and the flips under readers found: `make publishing-harness`."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.publishing.harness.flips import flip_under_readers
from two_tower_assets_tests.publishing.harness.kills import kill_at_every_step, kill_at_moments, steps_of
from two_tower_assets_tests.publishing.harness.readers import Expected
from two_tower_assets_tests.publishing.harness.world import OLDER, World, make_world
from two_tower_assets_tests.publishing.releasing import OLD

FLIPS = 100
MOMENTS = [0.05 * number for number in range(1, 31)]


def main() -> None:
    """Make a world, kill in it, and flip in it."""
    with tempfile.TemporaryDirectory() as name:
        cluster = EmbeddedPostgres(Path(name) / "postgres", settings=THROW_AWAY)
        cluster.start()
        try:
            migrate(cluster.ensure_database("migrated"))
            world = make_world(cluster, "migrated", Path(name) / "world")
            _print_kills(world)
            _print_flips(world)
        finally:
            cluster.destroy()


def _print_kills(world: World) -> None:
    steps = steps_of(world)
    kills = list(kill_at_every_step(world, len(steps)))
    for kill in kills:
        print(f"killed after {kill.after:<40} readers saw {kill.live}")
    moments = Counter(kill.live for kill in kill_at_moments(world, MOMENTS))
    print(
        f"{len(kills)} kill points, all held; {len(MOMENTS)} kills at moments between them, all held: {dict(moments)}"
    )


def _print_flips(world: World) -> None:
    expected = {version: Expected(world.version(version)) for version in (OLDER, OLD)}
    with world.attempt() as (target, _):
        seen = flip_under_readers(target, expected, FLIPS)
    milliseconds = sorted(1000 * seconds for seconds in seen.flips)
    print(
        f"{FLIPS} flips: {seen.answers} answers read, {len(seen.torn)} torn; a flip took "
        f"{milliseconds[len(milliseconds) // 2]:.1f} ms (median), {milliseconds[-1]:.1f} ms (slowest)"
    )


if __name__ == "__main__":
    main()
