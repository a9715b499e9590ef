"""Every error that a person can cause or can mend: what happened, where, and what to do next.

One root, one class a situation, each with a stable `code`. Broken invariants of our own are `assert`s,
not errors from here.
"""

from __future__ import annotations

from typing import ClassVar


class TwoTowerError(Exception):
    """Root of all errors meant for people.

    Args:
        what: what went wrong, in one sentence without a final full stop.
        where: the file, table, column, setting or asset it happened in.
        remedy: the next step that mends it.
    """

    code: ClassVar[str] = "two_tower_error"
    passing: ClassVar[bool] = False
    """Whether the same call may succeed a little later."""

    def __init__(self, what: str, *, where: str | None = None, remedy: str) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        place = f" [{where}]" if where else ""
        super().__init__(f"{what}{place}. {remedy}")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by keyword, since errors cross process boundaries in Dagster's executors."""
        return _rebuild, (type(self), self.what, self.where, self.remedy)


def _rebuild(cls: type[TwoTowerError], what: str, where: str | None, remedy: str) -> TwoTowerError:
    return cls(what, where=where, remedy=remedy)


class SettingsError(TwoTowerError):
    """A settings file or value is wrong."""

    code = "settings_invalid"


class EnvironmentVariableError(TwoTowerError):
    """An environment variable is missing or unreadable."""

    code = "environment_invalid"


class LocalStackError(TwoTowerError):
    """The embedded Postgres could not be installed, started or stopped."""

    code = "local_stack_failed"


class DatabaseError(TwoTowerError):
    """A database cannot be reached, or lacks what is needed."""

    code = "database_unusable"


class DatabaseUnreachableError(DatabaseError):
    """A database does not answer, or cannot take a connection for the moment."""

    passing = True


class MigrationError(TwoTowerError):
    """A migration was changed after it ran, cannot run, or another migrator holds the lock."""

    code = "migration_refused"


class SourceDataError(TwoTowerError):
    """Source rows break the contract: a missing column, a wrong type, an empty table."""

    code = "source_data_invalid"


class MissingAssetError(TwoTowerError):
    """An asset is asked for that has never been materialized here, or whose files are gone."""

    code = "asset_missing"


class FeatureError(TwoTowerError):
    """Feature payloads or vectors cannot be built, or two ways of building them disagree."""

    code = "features_invalid"


class TrainingError(TwoTowerError):
    """There is nothing to learn from, or training diverged."""

    code = "training_failed"


class EngineError(TwoTowerError):
    """The workers that fits and vectors are spread over are missing, or died too often."""

    code = "engine_failed"


class EvaluationError(TwoTowerError):
    """Retrieval cannot be measured on these data."""

    code = "evaluation_failed"


class TuningError(TwoTowerError):
    """A study cannot be held: something it needs is missing, its workers die, or somebody else holds it."""

    code = "tuning_failed"


class MonitoringError(TwoTowerError):
    """What a release was trained on is not known, or cannot be compared with what comes in."""

    code = "monitoring_failed"


class ArtifactError(TwoTowerError):
    """A model version's file is missing, altered or does not give the promised numbers."""

    code = "artifact_invalid"


class StorageError(TwoTowerError):
    """A bucket cannot be reached or written, or holds other bytes than were sent."""

    code = "storage_failed"


class RestError(TwoTowerError):
    """The REST API of a Supabase project cannot be reached, or refuses what it is asked."""

    code = "rest_failed"


class RestUnreachableError(RestError):
    """The REST API kept failing in a way that passes: no answer, too many requests, an error of the server."""

    passing = True


class FunctionError(TwoTowerError):
    """A deployed Edge Function does not answer, or answers what it should not."""

    code = "function_failed"


class NotificationError(TwoTowerError):
    """Nobody could be told of a failed run."""

    code = "notification_failed"


class PublishingError(TwoTowerError):
    """A release was refused, or another writer holds the lock."""

    code = "release_refused"


class ExperimentError(TwoTowerError):
    """An experiment is unknown, badly planned, or doesn't show what is asked of it."""

    code = "experiment_refused"
