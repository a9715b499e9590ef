"""How the steps of a run are spread over processes."""

from __future__ import annotations

from typing import Final

import dagster as dg

from two_tower_assets.settings import AutomationSettings

PRELOADED: Final = (
    "two_tower_assets.definitions",
    "two_tower_assets.evaluation.evaluate",
    "two_tower_assets.publishing.release",
    "onnxruntime",
    "torch",
)
"""What a worker has imported before it is forked: torch alone costs two seconds a step."""


def executor_for(settings: AutomationSettings) -> dg.ExecutorDefinition:
    """Return one process for all steps, or workers that are forked from a server with everything imported.

    On two cores one process is more than twice as fast: torch and the connections start once, and a fit uses every
    core anyway.
    """
    if settings.step_processes == 1:
        return dg.in_process_executor
    return dg.multiprocess_executor.configured(
        {
            "max_concurrent": settings.step_processes,
            "start_method": {"forkserver": {"preload_modules": list(PRELOADED)}},
        }
    )
