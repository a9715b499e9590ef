from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from two_tower_assets.doctor.disk import look_at_disk
from two_tower_assets_tests.doctor.looks import Record, levels, note

SIZE = 8 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB; skipped where this user may not mount one."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a file system")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_is_a_problem(small_disk: Path, record_property: Record) -> None:
    """With the limits of real runs, and with smaller ones as files come; the home itself need not exist yet."""
    assert levels(look_at_disk(small_disk)) == ["problem"]
    note(record_property, "a disk of 8 MiB", *look_at_disk(small_disk))
    home = small_disk / "a" / "home"
    least, comfortable = SIZE // 4, SIZE // 2
    assert levels(look_at_disk(home, least=least, comfortable=comfortable)) == ["ok"]
    (small_disk / "half").write_bytes(bytes(SIZE * 5 // 8))
    assert levels(look_at_disk(home, least=least, comfortable=comfortable)) == ["warning"]
    (small_disk / "more").write_bytes(bytes(SIZE // 4))
    assert levels(look_at_disk(home, least=least, comfortable=comfortable)) == ["problem"]
