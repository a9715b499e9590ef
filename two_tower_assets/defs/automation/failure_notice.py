"""What is said of a failed run: job, run, step, the error's one paragraph and the next step; never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import dagster as dg

from two_tower_assets.database.connection import passwords_in
from two_tower_assets.defs.console import cause_of, step_name
from two_tower_assets.environment import Environment

_LONGEST: Final = 1000
_LOOK: Final = "Open the run in the Dagster UI, mend what it names, and start the job again."


@dataclass(frozen=True)
class Notice:
    """One failed run."""

    job: str
    run_id: str
    step: str | None
    """The first step that failed; None when the run broke outside of its steps."""
    error: str
    code: str | None
    """Of an error meant for people."""
    what_next: str

    @property
    def text(self) -> str:
        """Everything in one paragraph, for whoever shows a message's text alone."""
        place = f" at {self.step}" if self.step else ""
        return f"{self.job} failed{place}: {self.error} {self.what_next} (run {self.run_id})"


def notice_of(context: dg.RunFailureSensorContext, environment: Environment) -> Notice:
    """Describe a failure."""
    run = context.dagster_run
    failed = next(iter(context.get_step_failure_events()), None)
    text = cause_of(failed) if failed else context.failure_event.message or "The run failed"
    found = _metadata_of(failed) if failed else {}
    remedy = found.get("remedy")
    return Notice(
        job=run.job_name,
        run_id=run.run_id,
        step=step_name(failed) if failed else None,
        error=_paragraph(text.removesuffix(remedy or "").strip(), environment),
        code=found.get("code"),
        what_next=remedy or _LOOK,
    )


def _metadata_of(event: dg.DagsterEvent) -> dict[str, str]:
    data = event.step_failure_data.user_failure_data
    return {name: str(value.value) for name, value in data.metadata.items()} if data else {}


def _paragraph(text: str, environment: Environment) -> str:
    """The first paragraph on one line, with every secret of the environment blanked."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    for secret in _secrets(environment):
        paragraph = paragraph.replace(secret, "***")
    return paragraph if len(paragraph) <= _LONGEST else paragraph[: _LONGEST - 1] + "…"


def _secrets(environment: Environment) -> list[str]:
    """The longest first, since one may be part of another."""
    urls = (environment.database_url, environment.serving_url, environment.dagster_url, environment.storage_url)
    passwords = {password for url in urls if url for password in passwords_in(url)}
    others = {secret for secret in (environment.supabase_key, environment.failure_webhook) if secret}
    return sorted(passwords | others, key=len, reverse=True)
