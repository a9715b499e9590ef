from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from two_tower_assets_tests.bench.compare import compare
from two_tower_assets_tests.bench.record import Record, RecordError, read_record
from two_tower_assets_tests.bench.report import Line, Moved, as_table

QUICK = Line(
    "sources",
    "a snapshot",
    "1.0 s",
    "COPY: 0.8 s",
    1.25,
    "<= 2.0 x",
    met=True,
    seconds=1.0,
    peak_mib=400.0,
    moved=Moved(60_000_000, "bytes"),
)
RATE = Line(
    "training",
    "a step",
    "90 GFLOP/s",
    "matmul: 180 GFLOP/s",
    0.5,
    ">= 0.5 x",
    met=True,
    seconds=None,
    peak_mib=None,
    moved=None,
)


def record(*lines: Line) -> Record:
    return Record("2026-01-01T00:00:00+00:00", "a" * 40, "2 cores", lines)


def changed(line: Line, ratio: float, *, met: bool = True) -> Line:
    return dataclasses.replace(line, ratio=ratio, met=met)


def test_what_got_slower_is_named_with_both_ratios() -> None:
    """A cost that rose by 20 % and a rate that fell by a third are named, within the tolerance nothing is."""
    old = record(QUICK, RATE)
    worse = list(compare(old, record(changed(QUICK, 1.5), changed(RATE, 0.375, met=False))))
    assert worse == [
        "sources: a snapshot got worse by 20%: ratio 1.25 before, 1.50 now (1.0 s)",
        "training: a step got worse by 33%: ratio 0.50 before, 0.38 now (90 GFLOP/s)",
    ]
    assert not list(compare(old, record(changed(QUICK, 1.4), changed(RATE, 0.45))))
    assert not list(compare(old, record(changed(QUICK, 0.5), changed(RATE, 0.9))))


def test_a_bound_that_is_missed_now_and_a_line_that_is_gone_are_named() -> None:
    """Though the ratio moved little; stages that were not run are passed over."""
    found = list(compare(record(QUICK, RATE), record(changed(RATE, 0.49, met=False))))
    assert found == ["training: a step misses its bound >= 0.5 x now: ratio 0.50 before, 0.49 now (90 GFLOP/s)"]
    gone = dataclasses.replace(RATE, what="a longer step")
    assert list(compare(record(RATE), record(gone))) == ["training: a step is not measured any more"]


def test_what_takes_more_memory_or_moves_more_is_named() -> None:
    """Beyond a quarter and 32 MiB, or one percent; less, nothing to compare with and another unit are passed over."""

    def worse(peak_mib: float | None, moved: Moved | None, before: Line = QUICK) -> list[str]:
        return list(compare(record(before), record(dataclasses.replace(before, peak_mib=peak_mib, moved=moved))))

    assert worse(501.0, Moved(90_000_000, "bytes")) == [
        "sources: a snapshot takes more memory: 400 MiB before, 501 MiB now",
        "sources: a snapshot moves more: 60 MB before, 90 MB now (50% more)",
    ]
    assert not worse(499.0, Moved(60_500_000, "bytes"))
    assert not worse(200.0, Moved(30_000_000, "bytes"))
    assert not worse(None, None)
    assert not worse(400.0, Moved(90_000_000, "rows"))
    assert not worse(501.0, Moved(90_000_000, "bytes"), RATE)
    small = dataclasses.replace(QUICK, peak_mib=10.0)
    assert not worse(41.0, QUICK.moved, small)
    assert worse(43.0, QUICK.moved, small) == ["sources: a snapshot takes more memory: 10 MiB before, 43 MiB now"]


def test_a_record_without_seconds_memory_and_work_is_read(tmp_path: Path) -> None:
    """An older line has None there, and is compared by its ratio alone."""
    record(QUICK).write(tmp_path)
    told = json.loads((tmp_path / "bench.json").read_text())
    for name in ("seconds", "peak_mib", "moved"):
        del told["lines"][0][name]
    (tmp_path / "bench.json").write_text(json.dumps(told))
    old = read_record(tmp_path / "bench.json")
    assert old.lines == (dataclasses.replace(QUICK, seconds=None, peak_mib=None, moved=None),)
    assert not list(compare(old, record(QUICK)))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The JSON gives the same record, and the table beside it has a row a line."""
    made = record(QUICK, RATE)
    made.write(tmp_path)
    assert read_record(tmp_path / "bench.json") == made
    table = (tmp_path / "bench.md").read_text()
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[-2:]]
    assert [row[:6] for row in cells] == [
        ["sources", "a snapshot", "1", "400", "60 MB, 60 MB/s", "1.0 s"],
        ["training", "a step", "–", "–", "–", "90 GFLOP/s"],
    ]
    assert table.startswith("Measured at 2026-01-01T00:00:00+00:00 of commit aaaaaaa on 2 cores.")


@pytest.mark.parametrize(
    ("amount", "unit", "seconds", "cell"),
    [
        (5.64e9, "operations", 0.048, "5.64 GFLOP, 118 GFLOP/s"),
        (1_000_000, "rows", 0.5, "1 M rows, 2 M rows/s"),
        (500, "rows", None, "500 rows"),
        (1.2e9, "bytes", 2.0, "1.2 GB, 600 MB/s"),
    ],
)
def test_work_is_told_with_its_rate(
    amount: float, unit: Literal["bytes", "operations", "rows"], seconds: float | None, cell: str
) -> None:
    """In thousands, millions and so on; without seconds there is no rate."""
    line = dataclasses.replace(QUICK, seconds=seconds, moved=Moved(amount, unit))
    assert f"| {cell} |" in as_table([line])


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"lines": [{}]}', '{"lines": [{"moved": 5}]}', '{"lines": [{"moved": {"rows": 5}}]}']
)
def test_another_file_is_refused(tmp_path: Path, content: str) -> None:
    """The error names the file and what writes one."""
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(RecordError, match=r"other\.json.*make bench"):
        read_record(tmp_path / "other.json")


def test_the_command_ends_with_1_when_something_got_worse(tmp_path: Path) -> None:
    """It prints both moments and the sentence; without a change it ends with 0."""
    record(QUICK).write(tmp_path / "old")
    record(changed(QUICK, 2.5, met=False)).write(tmp_path / "new")
    command = [sys.executable, "-m", "two_tower_assets_tests.bench.compare"]
    old, new = (str(tmp_path / name / "bench.json") for name in ("old", "new"))
    worse = subprocess.run([*command, old, new], capture_output=True, text=True, check=False)
    assert (worse.returncode, worse.stdout.splitlines()[-1]) == (
        1,
        "sources: a snapshot got worse by 100%: ratio 1.25 before, 2.50 now (1.0 s)",
    )
    same = subprocess.run([*command, old, old], capture_output=True, text=True, check=False)
    assert (same.returncode, same.stdout.splitlines()[-1]) == (0, "Nothing got worse.")
