"""`two-tower upsert-embeddings`: what would be sent, what is lost by this way, how far it is, what was done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from two_tower_assets.contract import Files
from two_tower_assets.defs.progress import log_progress
from two_tower_assets.environment import Environment
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.rest_project import RestProject
from two_tower_assets.publishing.rest_upsert import LOST_GUARANTEES, UpsertPlan, plan_upsert, upsert_embeddings

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True)
class _Lines:
    """Lines of progress beside the result, so that the result alone can be piped."""

    console: Console

    def info(self, msg: str, /) -> None:
        self.console.print(msg, markup=False, soft_wrap=True)


def print_upsert(environment: Environment, file: Path | None, *, batch: int, dry_run: bool) -> None:
    """Send a file of video vectors to the project of the environment, or with `dry_run` only say what would be sent.

    Args:
        environment: names the project and the key.
        file: by default the file of the version that is live there.
        batch: rows of a request.
        dry_run: change nothing.

    Raises:
        EnvironmentVariableError: `SUPABASE_URL` or the key is not set.
        PublishingError: the file's version is not the one that is live there.
        ArtifactError: the file is not fit to be sent.
        RestError: the project cannot be asked.
    """
    console, lines = Console(highlight=False), _Lines(Console(stderr=True, highlight=False))
    there = environment.project
    with RestProject(there.url, there.key, reached=lines.info) as project:
        plan = plan_upsert(project, file or _own_file(project, environment), batch=batch)
        for line in _plan_lines(plan, dry_run=dry_run):
            console.print(line, markup=False, soft_wrap=True)
        if (refusal := plan.refusal()) is not None:
            raise refusal
        if dry_run:
            console.print("Nothing was sent.")
            return
        done = upsert_embeddings(project, plan, progress=log_progress(lines, "rows"))
    console.print(f"{done.sent:,} rows sent, {done.unchanged:,} were there already.")


def _own_file(project: RestProject, environment: Environment) -> Path:
    live = project.live()
    if live is None:
        raise PublishingError(
            "No release is live at the project, so there is no version whose vectors it could take",
            where=project.url,
            remedy="Make the first release with a Postgres URL: set SUPABASE_DB_URL (direct or session mode) and run "
            "`two-tower run`.",
        )
    path = environment.home.artifacts / live.model_version / Files.VIDEO_EMBEDDINGS
    if not path.is_file():
        raise PublishingError(
            f"The files of version {live.model_version}, which is live at the project, are not here",
            where=str(path),
            remedy="Name its video_embeddings.parquet, with its manifest.json beside it.",
        )
    return path


def _plan_lines(plan: UpsertPlan, *, dry_run: bool) -> tuple[str, ...]:
    file, live = plan.file, plan.live
    there = "nothing" if live is None else f"{live.model_version} since {live.activated_at}"
    will = "would be" if dry_run else "are"
    return (
        f"file     {file.path}: version {file.model_version}, {file.rows:,} rows, {file.size / _MEGABYTE:.1f} MB",
        f"target   {plan.target}: live is {there}, with {plan.stored:,} video vectors",
        f"requests {plan.batches:,} batches of at most {plan.batch:,} rows; only rows that differ {will} sent",
        f"         (about {plan.request_bytes / _MEGABYTE:.1f} MB as JSON when all do)",
        "Over REST these guarantees of a release with a Postgres URL (SUPABASE_DB_URL) are lost:",
        *(f"  - {lost}" for lost in LOST_GUARANTEES),
    )
