"""The log of a run as people read it in a terminal: a line an asset, a line a check, the error without its stack."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import dagster as dg

if TYPE_CHECKING:
    from dagster_shared.error import SerializableErrorInfo

CONSOLE: Final[dict[str, Any]] = {"loggers": {"console": {}}}
"""Run configuration that names this log."""

_MARKS: Final = {True: "✓", False: "✗"}


class _Lines(logging.Handler):
    """Writes to standard error as it was when the run began.

    While steps run, Dagster redirects standard error into a file that `tail` shows, and ends `tail` with the steps:
    what a step says last, its failure, would be lost wherever `tail` has to poll.
    """

    def __init__(self) -> None:
        super().__init__()
        self._terminal = os.dup(2)
        self._started: dict[str | None, float] = {}
        weakref.finalize(self, os.close, self._terminal)

    def emit(self, record: logging.LogRecord) -> None:
        event: dg.DagsterEvent | None = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is not None and event.is_step_start:
            self._started[event.step_key] = record.created
        line = _line(record, event, self._started)
        if line is not None:
            os.write(self._terminal, f"{line}\n".encode())


@dg.logger
def readable_console(context: dg.InitLoggerContext) -> logging.Logger:
    """One line an asset and a check on standard error, and errors without their stack."""
    del context
    logger = logging.Logger("two_tower", level=logging.DEBUG)
    logger.addHandler(_Lines())
    return logger


def step_name(event: dg.DagsterEvent) -> str:
    """Return an event's step as people know it: `stage/noun` for an asset."""
    return str(event.step_key).replace("__", "/", 1)


def _line(
    record: logging.LogRecord, event: dg.DagsterEvent | None, started: Mapping[str | None, float]
) -> str | None:
    if event is None:
        meta: dict[str, Any] = getattr(record, "dagster_meta", {})
        return _message_line(str(meta.get("orig_message", record.getMessage())), record.levelno)
    if event.is_step_materialization:
        return _asset_line(event, record.created - started.get(event.step_key, record.created))
    if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        return _check_line(event)
    if event.is_step_failure:
        return f"✗ {step_name(event)}: {cause_of(event)}"
    return None


def _message_line(message: str, level: int) -> str | None:
    # One failure makes Dagster list every step after it; the failure itself is what a person needs.
    is_consequence = message.startswith("Dependencies for step ")
    return f"    {message}" if level >= logging.INFO and not is_consequence else None


def _asset_line(event: dg.DagsterEvent, seconds: float) -> str:
    materialization = event.step_materialization_data.materialization
    unchanged = materialization.metadata.get("unchanged")
    note = "unchanged" if unchanged is not None and unchanged.value else f"{seconds:7.1f} s"
    return f"✓ {materialization.asset_key.to_user_string():<36} {note}"


def _check_line(event: dg.DagsterEvent) -> str:
    evaluation: Any = event.event_specific_data
    line = f"  {_MARKS[evaluation.passed]} check {evaluation.check_name}"
    return line if evaluation.passed else f"{line}: {evaluation.description or 'failed'}"


def cause_of(event: dg.DagsterEvent) -> str:
    """Return why a step failed, without a stack."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    error = innermost(data.error)
    return error.to_string() if error is not None else "failed"


def innermost(error: SerializableErrorInfo | None) -> SerializableErrorInfo | None:
    """Return the error that those around it were raised for."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error
