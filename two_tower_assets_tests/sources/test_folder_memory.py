from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from two_tower_assets_tests.bench.catalogue.folder import write_catalogue
from two_tower_assets_tests.bench.catalogue.size import Size

READ = """
import sys
from pathlib import Path
from two_tower_assets.sources.folder import read_folder

read_folder(Path(sys.argv[1])).content_hash()
lines = Path("/proc/self/status").read_text().splitlines()
print(*(line.split()[1] for line in lines if line.startswith("VmHWM:")))
"""


def peak_kib(folder: Path, decisions: int) -> int:
    write_catalogue(folder, Size.of(decisions, users=2000, videos=1000))
    command = [sys.executable, "-c", READ, str(folder)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_a_decision_of_a_folder_takes_far_less_memory_than_its_ids_as_text(tmp_path: Path) -> None:
    """Half a million more take less than 200 bytes each at the peak of reading, checking and hashing."""
    few, many = peak_kib(tmp_path, 300_000), peak_kib(tmp_path, 800_000)
    assert (many - few) * 1024 < 200 * 500_000
