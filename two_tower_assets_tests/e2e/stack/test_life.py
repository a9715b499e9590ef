"""Starting and ending a stack: all of it or nothing, whatever happens to the one who minds it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.shutdown import wait_for
from two_tower_assets.local.stack import LocalStack
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.e2e.stack.people import FAN
from two_tower_assets_tests.e2e.stack.running import Caller, Up, brought_up, server, two_tower


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Home]:
    """A home in which nothing was ever released, below a path with a blank, a comma and no ASCII."""
    pytest.importorskip("deno", reason="no Deno, which runs the functions: pip install deno")
    home = Home(tmp_path_factory.mktemp("life") / "a home, 家")
    home.root.mkdir()
    home.programs.symlink_to(programs)
    postgres = EmbeddedPostgres(home.postgres, settings=THROW_AWAY)
    postgres.start()
    postgres.stop()
    yield home
    two_tower(home.root, "down")
    postgres.destroy()


@pytest.fixture
def up(home: Home) -> Iterator[Up]:
    """A stack of that home."""
    with brought_up(home.root) as running:
        yield running


def servers(home: Home) -> dict[str, psutil.Process]:
    """The two servers by name, as their records tell."""
    files = {"gateway": home.stack / "gateway.json", "postgrest": home.stack / "postgrest" / "postgrest.json"}
    return {name: psutil.Process(json.loads(file.read_text())["pid"]) for name, file in files.items()}


def ended(process: psutil.Process) -> bool:
    """Whether a process is gone; a zombie is."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def listens(url: str) -> bool:
    """Whether anything does at the address."""
    address = httpx.URL(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port or 0)) == 0


def test_before_the_first_release_it_says_what_to_do(up: Up) -> None:
    """The first line names `make run`; the functions answer 503 `no_release`; REST works."""
    assert "Nothing is released yet" in up.lines[0]
    assert "make run" in up.lines[0]
    for function in ("embed-user", "ai-recommend-v5"):
        answer = server(up).call(function, FAN)
        assert (answer.status_code, answer.json()["code"]) == (503, "no_release")
    key = {"apikey": up.printed["SUPABASE_SERVICE_ROLE_KEY"]}
    assert httpx.get(f"{up.url}/rest/v1/videos", headers=key, trust_env=False).json() == []


def test_ctrl_c_ends_all_of_it(up: Up, home: Home) -> None:
    """Both servers and Postgres end, the port is free, the exit status is 0, and a second stop is no error."""
    running = servers(home)
    status, said = up.interrupt()
    assert (status, "Traceback" in said) == (0, False), said
    assert all(ended(process) for process in running.values())
    assert not listens(up.url)
    assert not EmbeddedPostgres(home.postgres).is_running()
    assert LocalStack(home).url is None
    assert two_tower(home.root, "down").returncode == 0


def test_a_postgres_that_others_use_goes_on(up: Up, home: Home) -> None:
    """With somebody connected, Ctrl-C ends the servers and leaves Postgres, and says so; `down` ends it too."""
    with psycopg.connect(EmbeddedPostgres(home.postgres).url()) as other:
        status, said = up.interrupt()
        assert (status, "Others use the embedded Postgres" in said) == (0, True)
        assert other.execute("select 1").fetchone() == (1,)
    assert EmbeddedPostgres(home.postgres).is_running()
    assert two_tower(home.root, "down").returncode == 0
    assert not EmbeddedPostgres(home.postgres).is_running()


def test_down_beside_ctrl_c_ends_it_too(up: Up, home: Home) -> None:
    """While the minder waits for the sessions of others, `down` ends Postgres; both are content."""
    running = servers(home)
    with psycopg.connect(EmbeddedPostgres(home.postgres).url()):
        up.process.send_signal(signal.SIGINT)
        assert wait_for(lambda: all(ended(process) for process in running.values()), 20)
        assert two_tower(home.root, "down").returncode == 0
        _, said = up.process.communicate(timeout=60)
    assert (up.process.returncode, "Traceback" in said) == (0, False), said
    assert not EmbeddedPostgres(home.postgres).is_running()


def test_what_a_killed_one_left_is_ended_by_the_next(up: Up, home: Home) -> None:
    """After kill -9 the next `up` ends the old servers and serves at the same address with the same keys."""
    before = servers(home)
    up.process.kill()
    up.process.wait()
    assert not any(ended(process) for process in before.values())
    with brought_up(home.root) as again:
        assert all(ended(process) for process in before.values())
        names = ("SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")
        assert [again.printed[name] for name in names] == [up.printed[name] for name in names]
        assert again.interrupt()[0] == 0


def test_one_home_has_one_stack(up: Up, home: Home) -> None:
    """A second `up` is refused and names the first's address, which goes on answering; `down` ends the first."""
    second = two_tower(home.root, "up")
    assert second.returncode == 1
    assert f"up already [{up.url}]" in second.stderr
    assert LocalStack(home).url == up.url
    assert two_tower(home.root, "down").returncode == 0
    assert up.process.wait(timeout=30) == 0


@pytest.mark.parametrize("name", ["gateway", "postgrest"])
def test_a_part_that_dies_ends_the_rest(name: str, up: Up, home: Home) -> None:
    """When a server is killed, `up` stops everything and says which part it was."""
    running = servers(home)
    running[name].kill()
    _, said = up.process.communicate(timeout=60)
    assert up.process.returncode == 1
    assert f"{'The gateway' if name == 'gateway' else 'PostgREST'} ended by itself" in said
    assert wait_for(lambda: all(ended(process) for process in running.values()), 10)
    assert not EmbeddedPostgres(home.postgres).is_running()


def test_a_detached_stack_goes_on_until_down(home: Home) -> None:
    """`up --detach` returns and leaves it answering; `down` ends it."""
    done = two_tower(home.root, "up", "--detach")
    assert done.returncode == 0, done.stderr
    url = LocalStack(home).url
    assert url is not None
    assert f"SUPABASE_URL={url}" in done.stdout
    assert "`two-tower down` stops it all." in done.stdout
    assert httpx.get(f"{url}/auth/v1/.well-known/jwks.json", trust_env=False).json() == {"keys": []}
    assert two_tower(home.root, "down").returncode == 0
    assert not listens(url)


def test_without_postgrest_the_rest_answers_503(home: Home) -> None:
    """In a detached stack that has lost PostgREST, REST and functions say so at once; the next `up` mends it."""
    two_tower(home.root, "up", "--detach")
    lost = servers(home)["postgrest"]
    lost.kill()
    assert wait_for(lambda: ended(lost), 10)
    stack = LocalStack(home)
    key = stack.keys.service_role
    headers = {"apikey": key, "authorization": f"Bearer {key}"}
    rest = httpx.get(f"{stack.url}/rest/v1/videos", headers=headers, trust_env=False)
    assert (rest.status_code, rest.json()["code"]) == (503, "PGRST000")
    answer = Caller(str(stack.url), headers).call("embed-user", FAN)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    two_tower(home.root, "up", "--detach")
    assert httpx.get(f"{stack.url}/rest/v1/videos", headers=headers, trust_env=False).status_code == 200
    assert two_tower(home.root, "down").returncode == 0


def test_a_taken_port_is_avoided_or_told(home: Home) -> None:
    """The usual port taken: another is found. The asked-for port taken: an error that names it, and nothing runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (home.stack / "gateway.port").write_text(str(port))
        with brought_up(home.root) as running:
            assert httpx.URL(running.url).port != port
            assert running.interrupt()[0] == 0
        refused = two_tower(home.root, "up", "--port", str(port))
    assert refused.returncode == 1
    assert f"The port is taken [127.0.0.1:{port}]" in refused.stderr
    assert LocalStack(home).url is None
    assert not EmbeddedPostgres(home.postgres).is_running()


def test_the_asked_for_port_is_taken_up(home: Home) -> None:
    """`--port` names the port of SUPABASE_URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with brought_up(home.root, "--port", str(port)) as running:
        assert httpx.URL(running.url).port == port


def test_secrets_stay_in_their_file(up: Up, home: Home) -> None:
    """The keys' file is its owner's alone; no log, record or command line holds a secret."""
    file = home.stack / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    server(up).call("embed-user", FAN)
    keys = json.loads(file.read_text())
    shown = [path.read_text() for path in home.stack.rglob("*") if path.is_file() and path != file]
    shown += [" ".join(process.cmdline()) for process in servers(home).values()]
    assert set(keys) == {"secret", "anon", "service_role"}
    for secret in (*keys.values(), up.printed["USER_KEY"]):
        assert not any(secret in text for text in shown)


@pytest.mark.parametrize("name", ["TWO_TOWER_DATABASE_URL", "SUPABASE_DB_URL"])
def test_somebodys_own_postgres_is_left_alone(name: str, home: Home) -> None:
    """Where another serving database is named, `up` refuses and says which variable does."""
    refused = two_tower(home.root, "up", **{name: "postgresql://nobody@127.0.0.1:1/none"})
    assert refused.returncode == 1
    assert f"[{name}]" in refused.stderr


def test_unreadable_keys_are_told_without_showing_them(home: Home, up: Up) -> None:
    """A damaged file of keys stops the next start with its path and a remedy, and not with its content."""
    file = home.stack / "keys.json"
    kept = file.read_text()
    up.interrupt()
    file.write_text(kept[:-10])
    refused = two_tower(home.root, "up")
    file.write_text(kept)
    assert refused.returncode == 1
    assert str(file) in refused.stderr
    assert kept[20:40] not in refused.stderr


def test_a_request_to_end_is_as_ctrl_c(up: Up, home: Home) -> None:
    """SIGTERM to the one who minds the stack ends all of it."""
    os.kill(up.process.pid, signal.SIGTERM)
    assert up.process.wait(timeout=60) == 0
    assert not listens(up.url)
    assert not EmbeddedPostgres(home.postgres).is_running()


def test_without_a_stack_the_command_computes_itself(home: Home) -> None:
    """`two-tower recommend` says that no stack runs, and goes the other way, which here has nothing to go by."""
    shown = two_tower(home.root, "recommend", FAN)
    assert "The local stack does not run (`two-tower up`): computed here" in shown.stderr
    assert shown.returncode == 1
    assert "503" not in shown.stderr
