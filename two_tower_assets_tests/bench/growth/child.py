"""One stage at one size in a process of its own: its seconds and the most memory that was resident."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from two_tower_assets.local.instance import THREADS
from two_tower_assets_tests.bench.catalogue.size import Size
from two_tower_assets_tests.bench.cost import measured
from two_tower_assets_tests.bench.growth.place import Place


@dataclass(frozen=True)
class Cost:
    """What a stage took at a size."""

    stage: str
    decisions: int
    rows: int
    """What it worked on."""
    seconds: float
    cpu_seconds: float
    """Of the process's own threads: what a busy machine changes little; a database's work is not in it."""
    peak_mib: float
    """Most resident memory of the process while it worked."""
    before_mib: float
    """Resident memory when it began: the interpreter and its libraries."""


def run_stage(stage: str, place: Place) -> Cost:
    """Run a stage in a child and return what it took; its output goes to ours where it fails."""
    asked = {"folder": str(place.folder), "url": place.url, "size": vars(place.size)}
    command = [sys.executable, "-W", "ignore", "-m", __name__, stage, json.dumps(asked)]
    # A step of the pipeline has these from its instance.
    environment = {**THREADS, **os.environ}
    answered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return Cost(stage, place.size.decisions, **json.loads(answered.splitlines()[-1]))


def _measured(stage: str, place: Place) -> dict[str, Any]:
    from two_tower_assets_tests.bench.growth.stages import STAGES  # noqa: PLC0415 - not in the parent

    work = STAGES[stage](place)
    begun_cpu = time.process_time()
    with measured() as cost:
        rows = work()
    return {"rows": rows, "cpu_seconds": time.process_time() - begun_cpu, **dataclasses.asdict(cost)}


if __name__ == "__main__":
    found = json.loads(sys.argv[2])
    print(json.dumps(_measured(sys.argv[1], Place(Path(found["folder"]), found["url"], Size(**found["size"])))))
