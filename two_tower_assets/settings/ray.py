"""Table `[ray]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from two_tower_assets.settings.fields import Positive, Strict


class RaySettings(Strict):
    """The workers when `automation.engine` is `ray`; none of it changes what is made but `slices`."""

    address: Annotated[str, Field(min_length=1)] = "local"
    """`local`: a cluster of this machine's own, for as long as the run; else that of a running one, such as `auto`,
    one of whose machines this is."""
    workers: Positive = 2
    """Workers of a fit, and of the vectors and rankings."""
    cpus_per_worker: Positive = 1
    """Cores that each asks for."""
    slices: Positive = 8
    """Parts that a step's batch is cut into, as many as workers or more. Dropout is drawn for each, so that a fit
    does not depend on the number of workers."""
    checkpoint_steps: Positive = 50
    """Steps after which a fit can go on when a worker dies, at most."""
    retries: Annotated[int, Field(ge=0)] = 3
    """How often a fit goes on after a worker died."""
    folder: str = ""
    """Folder that the machines of all workers share, for what is kept meanwhile; empty: `ray` in `TWO_TOWER_HOME`."""
    object_store_mib: Annotated[int, Field(ge=80)] = 256
    """Memory of the local cluster for what workers share, in MiB; the rest goes to its folder on disk."""

    @model_validator(mode="after")
    def _slice_for_each(self) -> RaySettings:
        if self.slices < self.workers:
            message = "slices must be at least workers"
            raise ValueError(message)
        return self
