"""The study: Optuna's, in a schema of its own of the pipeline's Postgres, held by one process at a time.

Points are drawn here and given out by the holder alone. Since the holder is the only one, every point that a study
calls running when it is opened belongs to a process that is gone, and is drawn again. What does not live here: what a
point is worth (`measure`), and who finds out (`crew`).
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from psycopg import Connection
from psycopg.rows import TupleRow
from sqlalchemy.exc import SQLAlchemyError

from two_tower_assets.database import advisory_lock
from two_tower_assets.database.connection import connect
from two_tower_assets.database.pooling import connect_to_own_session
from two_tower_assets.database.queries import query
from two_tower_assets.errors import DatabaseError, TuningError
from two_tower_assets.settings.search import OneOf
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.tuning.records import State, TrialRecord
from two_tower_assets.tuning.space import Dimension, Point

SCHEMA: Final = "two_tower_tuning"
ATTEMPTS: Final = 3
"""So many workers may die of a point before it is given up."""

_PATIENCE_SECONDS: Final = 2.0
_UNPRUNED: Final = 4
"""Trials that are finished whatever they show, for others to be compared with."""
_UNJUDGED: Final = 2
"""Fifths of a schedule at which nothing is judged: until then its learning rate is near its peak."""
_FEWEST_FOR_IMPORTANCE: Final = 4
_ATTEMPT: Final = "attempt"
_NOTE: Final = "note"
_STATE: Final = "state"
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class Drawn:
    """A point that somebody has to measure."""

    trial: Trial
    point: Point

    @property
    def number(self) -> int:
        """In the study."""
        return self.trial.number


class Study:
    """One study, while it is held; see `held_study`."""

    def __init__(self, study: optuna.Study, space: Sequence[Dimension]) -> None:
        self._study = study
        self._space = {dimension.key: dimension for dimension in space}
        self._distributions = {dimension.key: _distribution(dimension) for dimension in space}

    @property
    def name(self) -> str:
        """In Postgres."""
        return self._study.study_name

    def begin_with(self, point: Point) -> None:
        """Draw this point first, where nothing was drawn yet."""
        if not self._study.get_trials(deepcopy=False):
            self._study.enqueue_trial(dict(point))

    def draw(self) -> Drawn:
        """Draw a point: one that waits to be drawn again, else where the others were good."""
        trial = self._study.ask(self._distributions)
        return Drawn(trial, dict(trial.params))

    def look(self, drawn: Drawn, look: int, value: float) -> bool:
        """Keep what a fit has reached, and say whether it is worth going on."""
        drawn.trial.report(value, look)
        return not drawn.trial.should_prune()

    def complete(self, drawn: Drawn, value: float) -> None:
        """Keep what a point is worth."""
        self._study.tell(drawn.trial, value)

    def prune(self, drawn: Drawn) -> None:
        """Say that a fit was ended early."""
        self._study.tell(drawn.trial, state=TrialState.PRUNED)

    def refuse(self, drawn: Drawn, reason: str) -> None:
        """Say that a point can't be fitted; later ones are drawn away from it."""
        self._mark(drawn, "refused", reason)
        self._study.tell(drawn.trial, state=TrialState.PRUNED)

    def lose(self, drawn: Drawn, reason: str) -> bool:
        """Say that a point's worker died; return whether the point is drawn again."""
        attempt = drawn.trial.user_attrs.get(_ATTEMPT, 1)
        if attempt >= ATTEMPTS:
            self._mark(drawn, "died", reason)
        self._study.tell(drawn.trial, state=TrialState.FAIL)
        if attempt >= ATTEMPTS:
            return False
        self._again(drawn.trial.params, attempt)
        return True

    def adopt(self) -> int:
        """Draw again what is running or was never begun by a process that is gone; return how many points."""
        left = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for trial in left:
            self._study.tell(trial.number, state=TrialState.FAIL)
            # Its parameters are only partly there where the process died while it drew them.
            self._again(trial.params, trial.user_attrs.get(_ATTEMPT, 1) - 1)
        return len(left)

    def trials(self) -> tuple[TrialRecord, ...]:
        """Every point that counts: complete, pruned, refused or given up."""
        found = self._study.get_trials(deepcopy=False)
        return tuple(self._record(trial) for trial in found if _counts(trial))

    def importances(self) -> dict[str, float]:
        """How much each setting mattered for being among the best; empty where too few points are complete.

        PED-ANOVA (Watanabe, Bansal and Hutter, IJCAI 2023).
        """
        complete = self._study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(complete) < _FEWEST_FOR_IMPORTANCE:
            return {}
        with warnings.catch_warnings():
            # Of few points the best tenth is one, and Optuna warns that shares of it are rough.
            warnings.simplefilter("ignore")
            return dict(get_param_importances(self._study, evaluator=PedAnovaImportanceEvaluator()))

    def kept(self, key: str) -> Any:
        """What `keep` kept, or None."""
        return self._study.user_attrs.get(key)

    def keep(self, key: str, value: float) -> None:
        """Keep a measurement that belongs to no trial."""
        self._study.set_user_attr(key, value)

    def _again(self, point: Point, attempt: int) -> None:
        self._study.enqueue_trial(dict(point), user_attrs={_ATTEMPT: attempt + 1})

    def _mark(self, drawn: Drawn, state: State, note: str) -> None:
        drawn.trial.set_user_attr(_STATE, state)
        drawn.trial.set_user_attr(_NOTE, note)

    def _record(self, trial: FrozenTrial) -> TrialRecord:
        state: State = "complete" if trial.state == TrialState.COMPLETE else trial.user_attrs.get(_STATE, "pruned")
        return TrialRecord(
            number=trial.number,
            state=state,
            value=trial.value if state == "complete" else None,
            looks=trial.intermediate_values,
            point={key: self._space[key].read(value) for key, value in trial.params.items()},
            seconds=trial.duration.total_seconds() if trial.duration else None,
            note=trial.user_attrs.get(_NOTE),
        )


@contextmanager
def held_study(url: str, name: str, space: Sequence[Dimension], *, seed: int) -> Iterator[Study]:
    """Open a study, or begin it, and hold it for as long as the block lasts.

    The address of the database, which has a password, is held by nothing that is printed or kept.

    Args:
        url: the Postgres.
        name: of the study.
        space: what is searched.
        seed: of the draws; a study that goes on draws others than it began with.

    Raises:
        TuningError: another process holds it, or its tables are those of another version of Optuna.
        DatabaseError: the database can't be reached, or refuses.
    """
    with connect_to_own_session(url) as session, _locked(session, name):
        with database_errors("The schema of the studies could not be made"):
            session.execute(query("tuning_schema"))
        try:
            storage = _storage(url)
            try:
                yield _study(storage, name, space, seed)
            finally:
                storage.remove_session()
                storage.engine.dispose()
        except SQLAlchemyError as error:
            raise DatabaseError(
                f"The study could not be read or written: {getattr(error, 'orig', None) or error}",
                where=SCHEMA,
                remedy="Run the command again once Postgres answers; the study goes on where it was.",
            ) from error


@contextmanager
def _locked(session: Connection[TupleRow], name: str) -> Iterator[None]:
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
    holder = advisory_lock.hold(session, key, wait=_PATIENCE_SECONDS)
    if holder is not None:
        raise TuningError(
            f"Somebody else works on this study: {holder}",
            where=name,
            remedy="Wait until it has finished, or end it; more workers are `--workers`.",
        )
    try:
        yield
    finally:
        advisory_lock.release(session, key)


def _storage(url: str) -> RDBStorage:
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def connection() -> Connection[TupleRow]:
        return connect(url, options=f"-csearch_path={SCHEMA}")

    try:
        return RDBStorage("postgresql+psycopg://", engine_kwargs={"creator": connection, "pool_pre_ping": True})
    except RuntimeError as error:
        raise TuningError(
            f"The studies in Postgres are those of another version of Optuna: {error}",
            where=SCHEMA,
            remedy=f"Install that version again, or drop the schema {SCHEMA} with all studies.",
        ) from error


def _study(storage: RDBStorage, name: str, space: Sequence[Dimension], seed: int) -> Study:
    found = optuna.create_study(
        storage=storage,
        study_name=name,
        direction="maximize",
        load_if_exists=True,
        pruner=MedianPruner(n_startup_trials=_UNPRUNED, n_warmup_steps=_UNJUDGED + 1),
    )
    # Points side by side are told apart by taking those under way for bad ones.
    drawn = len(found.get_trials(deepcopy=False))
    found.sampler = TPESampler(seed=seed + drawn, multivariate=True, constant_liar=True)
    return Study(found, space)


def _distribution(dimension: Dimension) -> BaseDistribution:
    searched = dimension.searched
    if isinstance(searched, OneOf):
        return CategoricalDistribution([dimension.keep(option) for option in searched.options])
    if isinstance(searched.low, int) and isinstance(searched.high, int):
        return IntDistribution(searched.low, searched.high, log=searched.log)
    return FloatDistribution(searched.low, searched.high, log=searched.log)


def _counts(trial: FrozenTrial) -> bool:
    return trial.state in _FINISHED or trial.user_attrs.get(_STATE) == "died"


def identity(parts: Mapping[str, str]) -> str:
    """First 16 hex digits of the SHA-256 over what makes a study's measurements comparable."""
    return hashlib.sha256(repr(sorted(parts.items())).encode()).hexdigest()[:16]
