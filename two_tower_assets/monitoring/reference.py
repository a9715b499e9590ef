"""The reference: what the live release was trained on, as counts by bin, in the weeks before its data ended.

Made once with the version and kept with its weights, so that later no raw row is needed. It holds no id: a block is
one user's (or video's) counts, in no order that says whose they are. Letters: W windows, B blocks, K bins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from two_tower_assets.errors import MonitoringError
from two_tower_assets.home import replacing
from two_tower_assets.monitoring.bins import Bins
from two_tower_assets.monitoring.counting import Counted, Crowd, Layout, Numbers, Vocabularies, count, lay_out
from two_tower_assets.monitoring.observed import Observed, Window
from two_tower_assets.settings import MonitoringSettings

FORMAT: Final = "1"
"""Raised when the file changes its meaning."""

_MOST_BLOCKS: Final = 2000
"""Of a window that are kept; the totals are of all."""
_CROWDS: Final[tuple[Crowd, ...]] = ("people", "videos")


@dataclass(frozen=True, eq=False)
class Crowded:
    """What one crowd did in the windows of the reference."""

    layout: Layout
    size_W: NDArray[np.int64]
    """Blocks of each window, before a part of them was chosen."""
    totals_WK: Numbers
    blocks: tuple[Numbers, ...]
    """Counts [B, K] of each window's blocks, or of `_MOST_BLOCKS` of them."""

    @property
    def shares(self) -> Numbers:
        """[K], all windows together."""
        return self.layout.shares(self.totals_WK.sum(axis=0))


@dataclass(frozen=True, eq=False)
class Reference:
    """The whole of it."""

    cutoff: datetime
    """The windows end here; the model knows nothing later."""
    window_days: int
    vocabularies: Vocabularies
    crowds: Mapping[Crowd, Crowded]

    @classmethod
    def of(
        cls, observed: Observed, cutoff: datetime, vocabularies: Vocabularies, settings: MonitoringSettings
    ) -> Self:
        """Count what a model is trained on.

        Args:
            observed: the rows of the training snapshot.
            cutoff: decisions are those before this moment.
            vocabularies: tags and performers that the model knows.
            settings: length and number of the windows.
        """
        days = settings.window_days
        windows = [
            Window.before(cutoff - timedelta(days=days * number), days)
            for number in range(settings.reference_windows)
        ]
        whole = Window(windows[-1].start, cutoff)
        people = lay_out("people", observed, whole)
        videos = lay_out("videos", observed, whole)
        counted = [count(people, observed, window, vocabularies) for window in reversed(windows)]
        return cls(
            cutoff=cutoff,
            window_days=days,
            vocabularies=vocabularies,
            crowds={
                "people": _crowded(people, [each for each in counted if each.blocks]),
                # Of what was for sale in the past only today's rows are known.
                "videos": _crowded(videos, [count(videos, observed, whole, vocabularies)]),
            },
        )

    def save(self, path: Path) -> None:
        """Write one safetensors file, atomically; equal references give equal bytes."""
        about = {
            "cutoff": self.cutoff.isoformat(),
            "window_days": self.window_days,
            "vocabularies": {name: list(words) for name, words in self.vocabularies.items()},
            "bins": {
                crowd: {key: bins.model_dump(mode="json") for key, bins in crowded.layout.bins.items()}
                for crowd, crowded in self.crowds.items()
            },
        }
        tensors = {
            f"{crowd}.{name}": np.ascontiguousarray(tensor)
            for crowd, crowded in self.crowds.items()
            for name, tensor in _tensors(crowded)
        }
        with replacing(path) as temporary:
            save_file(tensors, temporary, metadata={"format": FORMAT, "about": json.dumps(about, ensure_ascii=False)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            MonitoringError: it is something else, or of another version of this program.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("format") != FORMAT:
                    raise _unreadable(path, f"its format is {metadata.get('format')}, not {FORMAT}")
                about = json.loads(metadata["about"])
                crowds = {crowd: _read(crowd, file, about["bins"][crowd]) for crowd in _CROWDS}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise _unreadable(path, str(error)) from None
        return cls(
            cutoff=datetime.fromisoformat(about["cutoff"]),
            window_days=about["window_days"],
            vocabularies=about["vocabularies"],
            crowds=crowds,
        )


def _crowded(layout: Layout, counted: list[Counted]) -> Crowded:
    return Crowded(
        layout=layout,
        size_W=np.array([each.blocks for each in counted], np.int64),
        totals_WK=np.array([each.totals for each in counted]).reshape(len(counted), layout.width),
        blocks=tuple(_some(each.counts_BK) for each in counted),
    )


def _some(counts_BK: Numbers) -> Numbers:
    """Shuffle the blocks, so that their order says nothing, and keep a part of many."""
    chosen = np.random.default_rng(len(counts_BK)).permutation(len(counts_BK))[:_MOST_BLOCKS]
    return counts_BK[chosen]


def _tensors(crowded: Crowded) -> Iterator[tuple[str, NDArray[Any]]]:
    """Counts of blocks are mostly zeros, and only the others are kept."""
    yield "size_W", crowded.size_W
    yield "totals_WK", crowded.totals_WK.astype(np.int64)
    yield "blocks_W", np.array([len(block) for block in crowded.blocks], np.int64)
    every_BK = np.concatenate([np.zeros((0, crowded.layout.width)), *crowded.blocks])
    row, column = np.nonzero(every_BK)
    yield "row", row.astype(np.int32)
    yield "column", column.astype(np.int16)
    yield "value", every_BK[row, column].astype(np.int32)


def _read(crowd: Crowd, file: Any, bins: Mapping[str, Any]) -> Crowded:
    layout = Layout(crowd, {key: Bins.model_validate(each) for key, each in bins.items()})
    tensor = {
        name: file.get_tensor(f"{crowd}.{name}")
        for name in ("size_W", "totals_WK", "blocks_W", "row", "column", "value")
    }
    ends = np.cumsum(tensor["blocks_W"])
    every_BK = np.zeros((int(ends[-1]) if len(ends) else 0, layout.width))
    every_BK[tensor["row"], tensor["column"]] = tensor["value"]
    return Crowded(
        layout=layout,
        size_W=tensor["size_W"],
        totals_WK=tensor["totals_WK"].astype(np.float64),
        blocks=tuple(np.split(every_BK, ends[:-1])) if len(ends) else (),
    )


def _unreadable(path: Path, why: str) -> MonitoringError:
    return MonitoringError(
        f"This is no reference of a training: {why}",
        where=str(path),
        remedy="Release a version made by this program; it is watched from then on.",
    )
