"""One night: the job `release` run in this process on the rows of the moment, and what came of it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dagster as dg

from two_tower_assets.defs.console import cause_of, innermost, step_name
from two_tower_assets.defs.inputs import report_of, verdict_of
from two_tower_assets.defs.site import Site
from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.nightly.records import Outcome, Refusal
from two_tower_assets.evaluation.trials import GLOBAL
from two_tower_assets.publishing.registry import live_release

Build = Callable[[Mapping[str, Any]], dg.Definitions]
"""`definitions.build_defs`."""

_JOB: Final = "release"
_SOURCES: Final = [dg.AssetKey(["sources", noun]) for noun in ("database", "profiles", "videos", "decisions")]
_GATE: Final = "may_replace_what_serves"


@dataclass(frozen=True)
class Ran:
    """What one run of the job came to."""

    outcome: Outcome
    refusals: tuple[Refusal, ...]
    judged_users: int | None
    live: str | None
    seconds: float


def release(definitions: dg.Definitions, site: Site, *, live_before: str | None, log: Path) -> Ran:
    """Run the job `release`; what it says goes into a file.

    Args:
        definitions: the code location, working in the site.
        site: where it works.
        live_before: version that was live in the morning before.
        log: the file, which is added to.

    Raises:
        EvaluationError: the run broke; a check that says no breaks nothing.
    """
    started = time.monotonic()
    result = _run(definitions, log)
    refusals = tuple(_refusals(result, site))
    if not result.success and not refusals:
        raise _broken(result, log)
    now = live_release(site.serving_url)
    live = now.model_version if now else None
    return Ran(
        outcome="refused" if refusals else "unchanged" if live == live_before else "promoted",
        refusals=refusals,
        judged_users=_judged_users(result, site),
        live=live,
        seconds=time.monotonic() - started,
    )


def read_sources(definitions: dg.Definitions, *, log: Path) -> None:
    """Bring the rows into the database and take a snapshot; nothing is trained.

    Raises:
        EvaluationError: the run broke.
    """
    result = _run(definitions, log, assets=_SOURCES)
    if not result.success:
        raise _broken(result, log)


def _run(
    definitions: dg.Definitions, log: Path, *, assets: list[dg.AssetKey] | None = None
) -> dg.ExecuteInProcessResult:
    with _lines_into(log), dg.DagsterInstance.ephemeral() as instance:
        return definitions.resolve_job_def(_JOB).execute_in_process(
            instance=instance, asset_selection=assets, raise_on_error=False
        )


@contextmanager
def _lines_into(path: Path) -> Iterator[None]:
    """Send standard error, with everything that a run logs, into a file."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)


def _refusals(result: dg.ExecuteInProcessResult, site: Site) -> Iterator[Refusal]:
    """The blocking checks that said no; the gate in the words of each of its answers."""
    for check in result.get_asset_check_evaluations():
        if check.passed:
            continue
        if check.check_name != _GATE:
            yield Refusal(question=check.check_name, reason=check.description or "failed")
            continue
        for answer in verdict_of(site, site.store.load("evaluation/verdict")).answers:
            if not answer.passed:
                yield Refusal(question=answer.question, reason=answer.reason or answer.question)


def _broken(result: dg.ExecuteInProcessResult, log: Path) -> EvaluationError:
    return EvaluationError(
        f"The night broke: {_cause(result).strip().splitlines()[0]}",
        where=str(log),
        remedy="Mend what it names and give the same command again: it goes on with this night.",
    )


def _cause(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            return f"{step_name(event)}: {cause_of(event)}"
    # It broke outside of its steps, as where a resource cannot be opened.
    error = innermost(
        next((event.job_failure_data.error for event in result.all_events if event.is_job_failure), None)
    )
    return error.message if error is not None else "the run failed"


def _judged_users(result: dg.ExecuteInProcessResult, site: Site) -> int | None:
    """Known users in the test window of this very run."""
    if all(check.check_name != _GATE for check in result.get_asset_check_evaluations()):
        return None
    trial = report_of(site, site.store.load("evaluation/report")).trials.get(GLOBAL)
    group = trial.groups.get(trial.judged) if trial else None
    return group.users if group else 0
