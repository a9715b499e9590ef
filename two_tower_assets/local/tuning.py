"""Server settings for one person's analytical work on a small machine: few connections, bulk loads, index builds.

Durability is not traded: `fsync` and `synchronous_commit` keep their defaults.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

_MIB: Final = 1 << 20
_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the system's shared memory, nothing is stored there
_ENOUGH_SHARED_MEMORY: Final = 1024 * _MIB


def server_settings(memory: int | None = None, cores: int | None = None) -> dict[str, str]:
    """Return the settings for `memory` bytes and `cores` (default: this machine's)."""
    mib = (memory or psutil.virtual_memory().total) // _MIB
    cores = cores or os.cpu_count() or 1
    return {
        "shared_buffers": f"{_clamp(mib // 8, 64, 1024)}MB",
        "effective_cache_size": f"{max(mib // 2, 256)}MB",
        "work_mem": f"{_clamp(mib // 256, 8, 64)}MB",
        "maintenance_work_mem": f"{_clamp(mib // 32, 64, 512)}MB",
        "max_worker_processes": str(max(8, cores)),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(_clamp(cores, 1, 4)),
        "max_parallel_maintenance_workers": str(_clamp(cores, 1, 4)),
        # No replica and no archive: tables made and filled in one transaction then need no WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        # After a checkpoint the first change of a page logs all of it: an insert in no order is 10 kB of log a row.
        "wal_buffers": "64MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        # As on Supabase: the type vector and its operators are found by their plain names.
        "search_path": '"$user", public, extensions',
        "timezone": "UTC",
        "log_timezone": "UTC",
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
    }


def _clamp(value: int, low: int, high: int) -> int:
    return max(low, min(value, high))


def _dynamic_shared_memory() -> str:
    """Prefer files to a /dev/shm too small for a parallel index build (containers get 64 MiB by default)."""
    if _SHARED_MEMORY.is_dir() and shutil.disk_usage(_SHARED_MEMORY).free >= _ENOUGH_SHARED_MEMORY:
        return "posix"
    return "mmap"
