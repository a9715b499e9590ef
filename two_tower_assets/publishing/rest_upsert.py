"""Upserting a file of video vectors over REST: the older way, for those who have no Postgres URL.

Rows go through the view `public.video_embeddings` into the live version's own table, which admits no other
version. Only rows that are missing or differ are sent, so a broken run is resumed by running again, and a repeated
one changes nothing. What does not live here: releases (`release`), which need a Postgres URL.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.errors import PublishingError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.embedding_file import Block, EmbeddingFile, open_embedding_file
from two_tower_assets.publishing.rest_project import LiveThere, RestProject

DEFAULT_BATCH: Final = 500
MAX_BATCH: Final = 1000

LOST_GUARANTEES: Final = (
    "Readers see batches as they arrive; a break leaves a part of them until the next run.",
    "Vectors are written into the live index: while many change, and until a vacuum, searches miss neighbours.",
    "The index's recall is not measured, and no evaluation, parity or golden vectors are asked for.",
    "Nothing goes live and nothing can be rolled back: vectors replaced here are gone, and no log tells of it.",
    "No lock keeps another writer away.",
)
"""What a release through a Postgres URL gives and this does not."""


@dataclass(frozen=True)
class UpsertPlan:
    """What would be sent where."""

    file: EmbeddingFile
    target: str
    """URL of the project."""
    batch: int
    request_bytes: int
    """Of all rows as JSON, estimated from the first batch."""
    live: LiveThere | None
    stored: int
    """Video vectors that the live version has there now."""

    @property
    def batches(self) -> int:
        """Number of requests that write, when every batch has a row that is missing or differs."""
        return math.ceil(self.file.rows / self.batch)

    def refusal(self) -> PublishingError | None:
        """Why nothing may be sent, or None."""
        version = self.file.model_version
        if self.live is None:
            return PublishingError(
                f"No release is live at the project: it has no place for vectors of version {version}, "
                "and no search would read them",
                where=self.target,
                remedy="Make the first release with a Postgres URL: set SUPABASE_DB_URL (direct or session mode) "
                "and run `two-tower run`.",
            )
        if self.live.model_version != version:
            return PublishingError(
                f"The file is of version {version}, and version {self.live.model_version} is live at the project: "
                "vectors of two versions never mix",
                where=self.target,
                remedy=f"Send the file of version {self.live.model_version}, or make {version} live with a Postgres "
                "URL: set SUPABASE_DB_URL (direct or session mode) and run `two-tower run`.",
            )
        return None


@dataclass(frozen=True)
class Upserted:
    """What was done."""

    sent: int
    """Rows that were missing or differed."""
    unchanged: int


def plan_upsert(project: RestProject, path: Path, *, batch: int = DEFAULT_BATCH) -> UpsertPlan:
    """Check the file to its last row and ask the project what is live; nothing is written.

    Args:
        project: where to.
        path: a file with its version's manifest beside it.
        batch: rows of a request, 1…1000.

    Raises:
        ArtifactError: the file is not fit to be sent.
        PublishingError: an id is not a uuid.
        RestError: the project cannot be asked.
    """
    assert 1 <= batch <= MAX_BATCH
    file = open_embedding_file(path)
    ids, vectors = next(file.batches(batch))
    first_bytes = len(json.dumps(_rows((ids, vectors), file.model_version), separators=(",", ":")))
    return UpsertPlan(
        file=file,
        target=project.url,
        batch=batch,
        request_bytes=first_bytes * file.rows // len(ids),
        live=project.live(),
        stored=project.count(),
    )


def upsert_embeddings(project: RestProject, plan: UpsertPlan, *, progress: Progress = silent) -> Upserted:
    """Send every row that is missing or differs there.

    Args:
        project: the plan's.
        plan: made just before.
        progress: told the rows done after each batch.

    Raises:
        PublishingError: the plan is refused, or another version goes live meanwhile: what was sent by then lies
            in this version's own table.
        RestError: the project kept failing; what was sent stays, and running again sends the rest.
    """
    refusal = plan.refusal()
    if refusal is not None:
        raise refusal
    sent = done = 0
    for ids, vectors in plan.file.batches(plan.batch):
        differs = _differs(project, ids, vectors)
        if differs.any():
            project.upsert(_rows((ids[differs], vectors[differs]), plan.file.model_version))
        sent += int(differs.sum())
        done += len(ids)
        progress(done, plan.file.rows)
    return Upserted(sent=sent, unchanged=done - sent)


def _differs(project: RestProject, ids: NDArray[np.str_], vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which rows are missing there or have another vector: bool [N].

    Writing an equal vector again would cost the index as much as a new one.
    """
    stored = dict(project.stored(str(ids[0]), str(ids[-1])))
    pairs: Iterator[tuple[str, NDArray[np.float32]]] = zip(np.char.lower(ids).tolist(), vectors, strict=True)
    return np.array([video not in stored or not np.array_equal(stored[video], vector) for video, vector in pairs])


def _rows(block: Block, version: str) -> list[dict[str, str]]:
    """Rows as the API takes them; the version lets the table refuse them when it is another one's.

    The text of a float32 is the shortest that reads back as the same number.
    """
    return [
        {"video_id": video, "embedding": f"[{','.join(vector.astype(np.str_))}]", "model_version": version}
        for video, vector in zip(block[0].tolist(), block[1], strict=True)
    ]
