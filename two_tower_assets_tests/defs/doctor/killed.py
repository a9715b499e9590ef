"""Run as a program: a run that is killed amid its step, which holds a slot of a pool."""

from __future__ import annotations

import os
import signal
import sys

import dagster as dg


@dg.op(pool="writers")
def end_abruptly() -> None:
    """Leave no time for anything to be tidied up."""
    os.kill(os.getpid(), signal.SIGKILL)


@dg.job(executor_def=dg.in_process_executor)
def killed() -> None:
    """One step."""
    end_abruptly()


if __name__ == "__main__":
    with dg.DagsterInstance.from_config(sys.argv[1]) as instance:
        killed.execute_in_process(instance=instance)
