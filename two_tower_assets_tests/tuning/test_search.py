"""Searches by real workers in a real Postgres, some of which are killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from two_tower_assets.errors import TuningError
from two_tower_assets.tuning.crew import Crew
from two_tower_assets.tuning.records import Outcome
from two_tower_assets.tuning.study import held_study
from two_tower_assets.tuning.window import write_window
from two_tower_assets_tests.tuning.searching import SPACE, search, settings_for, trials_in


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, options="-csearch_path=two_tower_tuning") as connection:
        return connection.execute(statement.encode()).fetchall()


def states(url: str) -> dict[str, int]:
    return dict(rows(url, "select state::text, count(*) from trials group by state"))


def workers_of(process: int) -> list[psutil.Process]:
    """Worker processes below one."""
    below = psutil.Process(process).children(recursive=True)
    return [child for child in below if "two_tower_assets.tuning.worker" in child.cmdline()]


def test_a_killed_worker_costs_no_point(database: str, tmp_path: Path) -> None:
    """Killed in the middle of a trial: its point is drawn again, and the study ends with as many as it may have."""
    gone: list[psutil.Process] = []

    def kill(line: str) -> None:
        """After the first trial its worker is given the next one."""
        if line.startswith("trial 0") and not gone:
            threading.Timer(0.05, kill_workers).start()

    def kill_workers() -> None:
        gone.extend(workers_of(os.getpid()))
        for worker in gone:
            worker.send_signal(signal.SIGKILL)

    outcome = search(database, tmp_path, settings_for(trials=5), kill)
    assert len(gone) == 1
    assert len(outcome.trials) == 5
    assert states(database).get("FAIL", 0) == 1
    points = rows(
        database,
        "select t.state::text, p.param_name, p.param_value from trials t join trial_params p "
        "using (trial_id) order by 2",
    )
    lost = sorted(point[1:] for point in points if point[0] == "FAIL")
    assert lost
    assert set(lost) <= {point[1:] for point in points if point[0] != "FAIL"}


def test_a_study_whose_process_was_killed_goes_on(database: str, tmp_path: Path) -> None:
    """SIGKILL to who holds it: its workers end too, and the next run completes what was left, exactly."""
    command = [sys.executable, "-m", "two_tower_assets_tests.tuning.searching", database, str(tmp_path), "6", "2"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [child.stdout.readline()]
    while not said[-1].startswith("trial"):
        assert said[-1]
        said.append(child.stdout.readline())
    workers = workers_of(child.pid)
    assert len(workers) == 2
    child.kill()
    child.communicate()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive
    assert states(database)["RUNNING"] >= 1
    lines: list[str] = []
    outcome = search(database, tmp_path, settings_for(trials=6, workers=2), lines.append)
    assert "goes on" in lines[0]
    assert "drawn again" in lines[0]
    assert len(outcome.trials) == 6
    assert "RUNNING" not in states(database)
    check(outcome)
    # What is measured is not measured again: neither points nor finals.
    again: list[str] = []
    assert search(database, tmp_path, settings_for(trials=6), again.append) == outcome
    assert "it has 6 points" in again[0]
    assert re.search(r"\b(\d+) of \1 fits are there", again[1])


def check(outcome: Outcome) -> None:
    """What holds of every outcome: the finals hold the current settings, and a change comes with a contest."""
    assert None in {finalist.trial for finalist in outcome.finalists}
    assert bool(outcome.changes) == (outcome.contest is not None) == (outcome.finalists[0].trial is not None)
    if outcome.contest:
        assert outcome.contest.begin == outcome.test_begin
        assert outcome.contest.groups[0].users > 0


def test_time_ends_a_search_too(database: str, tmp_path: Path) -> None:
    """A budget of no time draws one round of points and no more."""
    outcome = search(database, tmp_path, settings_for(trials=1000, minutes=0.001))
    assert 1 <= len(outcome.trials) <= 2


def test_a_worse_half_is_ended_early(database: str) -> None:
    """Beside four finished trials: not before two fifths of the schedule, and then what is below their median."""
    with held_study(database, "pruning", SPACE, seed=0) as study:
        for value in (0.1, 0.2, 0.3, 0.4):
            drawn = study.draw()
            assert all(study.look(drawn, look, value) for look in (1, 2, 3, 4))
            study.complete(drawn, value)
        drawn = study.draw()
        assert [study.look(drawn, look, 0.15) for look in (1, 2, 3)] == [True, True, False]
        study.prune(drawn)
        better = study.draw()
        assert study.look(better, 3, 0.35)
        study.complete(better, 0.35)
        assert [trial.state for trial in study.trials()] == [*["complete"] * 4, "pruned", "complete"]
        assert study.trials()[4].looks == {1: 0.15, 2: 0.15, 3: 0.15}
        assert sum(study.importances().values()) == pytest.approx(1)


def test_a_point_that_kills_every_worker_is_given_up(database: str) -> None:
    """Three workers died of it: it counts, and nothing draws it again."""
    with held_study(database, "deadly", SPACE, seed=0) as study:
        assert study.lose(study.draw(), "killed")
        assert study.lose(study.draw(), "killed")
        assert not study.lose(study.draw(), "killed")
        (trial,) = study.trials()
        assert (trial.state, trial.note) == ("died", "killed")


def test_two_at_once_are_refused(database: str) -> None:
    """The second is told who holds the study."""
    with (
        held_study(database, "one", SPACE, seed=0),
        pytest.raises(TuningError, match="Somebody else works on this study: process"),
        held_study(database, "one", SPACE, seed=0),
    ):
        pass


def test_the_study_holds_no_password(database: str) -> None:
    """Neither what is printed of it nor what is kept in Postgres has the address of the database."""
    password = psycopg.conninfo.conninfo_to_dict(database)["password"]
    assert isinstance(password, str)
    with held_study(database, "secret", SPACE, seed=0) as study:
        storage = study._study._storage
        assert password not in repr(vars(storage)) + repr(vars(getattr(storage, "_backend", storage)))


def test_workers_are_told_no_address_and_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment holds of servers does not reach a worker, which measures all the same."""
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://user:secret@host/db")
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", "postgresql://user:secret@host/db")
    write_window(trials_in(tmp_path / "snapshot"), tmp_path / "window")
    settings = settings_for(trials=1)
    with Crew(tmp_path / "window", settings, 1) as crew:
        seen: list[tuple[int, float]] = []
        answer = crew.submit(settings, lambda look, value: not seen.append((look, value))).result()
        assert answer.value is not None
        assert 0 < answer.value <= 1
        assert [look for look, _ in seen] == [1, 2, 3, 4]
        (worker,) = workers_of(os.getpid())
        assert not any("secret" in value for value in worker.environ().values())
        stopped = crew.submit(settings, lambda look, _: look < 2).result()
        assert (stopped.value, stopped.refused) == (None, None)
        wild = settings.model_copy(update={"training": settings.training.model_copy(update={"learning_rate": 1e30})})
        assert "loss is" in str(crew.submit(wild, lambda *_: True).result().refused)
