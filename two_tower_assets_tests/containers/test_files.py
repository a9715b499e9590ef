"""The compose file, the Dockerfile and what keeps things out of the image, read as files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from fnmatch import fnmatch

import pytest
import yaml
from packaging.version import Version

from two_tower_assets.local.instance import THREADS
from two_tower_assets_tests.containers.compose_file import COMPOSE, REPOSITORY, REQUIRED, read_services
from two_tower_assets_tests.containers.image_file import copied, instructions, read_image

IGNORED = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
COMPOSE_TOOL = shutil.which("docker-compose")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_secret_is_named(name: str) -> None:
    """Without one of the secrets nothing starts, and the message says which it is and what to set it to."""
    with pytest.raises(LookupError, match=rf"{name} is missing a value: Set {name} to .+"):
        read_services({**REQUIRED, name: ""})


def test_no_secret_is_in_a_url_or_an_image() -> None:
    """The password is one variable of its own, and the image holds no secret."""
    services = read_services(REQUIRED)
    password = REQUIRED["POSTGRES_PASSWORD"]
    carriers = {
        name: [key for key, value in service["environment"].items() if password in value]
        for name, service in services.items()
    }
    assert carriers.pop("postgres") == ["POSTGRES_PASSWORD"]
    assert set(map(tuple, carriers.values())) == {("PGPASSWORD",)}
    assert not any(
        word in name for name in read_image().environment for word in ("KEY", "PASSWORD", "SECRET", "_URL")
    )


def test_images_are_pinned() -> None:
    """Each base image is named down to its last version number, and pgvector is without the older index bugs."""
    bases = [each.text.split()[0] for each in instructions() if each.name == "FROM"]
    database = read_services(REQUIRED)["postgres"]["image"]
    assert len(bases) == 2
    for image in (*bases, database):
        assert re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+-\w+(-\w+)?", image)
    assert Version(database.partition(":")[2].partition("-")[0]) >= Version("0.8.4")


def test_containers_have_few_rights() -> None:
    """The image's account is an ordinary one, no capability is kept, and no port is open to other machines."""
    user, _, group = read_image().user.partition(":")
    assert int(user) > 0
    assert int(group) > 0
    for name, service in read_services(REQUIRED).items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        if name != "postgres":
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]


def test_threads_get_along_in_the_image_as_anywhere_else() -> None:
    """A container's processes are started by nobody who would set the variables that `two-tower` sets."""
    assert THREADS.items() <= read_image().environment.items()


def test_the_image_gets_what_it_copies_and_no_secret() -> None:
    """Everything that the Dockerfile copies and the wheel carries is let through; `.env` and data are not."""
    sources = set(copied())
    content = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    carried = content["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert set(carried) <= sources
    for source in sources:
        assert (REPOSITORY / source).exists()
        assert _is_let_through(source)
    for secret in (".env", ".git/config", ".two_tower/stack/keys.json", "infra/local/.env", "two_tower.toml"):
        assert not _is_let_through(secret)


def _is_let_through(path: str) -> bool:
    """The last pattern that names the path or a folder above it decides, as in Docker."""
    allowed = True
    parts = path.split("/")
    places = {"/".join(parts[: end + 1]) for end in range(len(parts))}
    for line in IGNORED:
        pattern = line.removeprefix("!")
        patterns = (pattern, pattern.removeprefix("**/"))
        if line and not line.startswith("#") and any(fnmatch(place, each) for place in places for each in patterns):
            allowed = line.startswith("!")
    return allowed


def test_both_workspaces_name_one_location() -> None:
    """What was recorded of the code location outside containers is found inside, and the other way round."""

    def names(path: str) -> list[str]:
        (entry,) = yaml.safe_load((REPOSITORY / path).read_text(encoding="utf-8"))["load_from"]
        return [place["location_name"] for place in entry.values()]

    assert names("infra/workspace.docker.yaml") == names("workspace.yaml")


@pytest.mark.skipif(COMPOSE_TOOL is None, reason="no docker-compose on the PATH")
def test_compose_itself_reads_the_file() -> None:
    """`docker-compose config` of the file gives the services, commands and checks that the other tests read."""
    # the first major version of the tool knows no name in the file
    text = "".join(
        line for line in COMPOSE.read_text(encoding="utf-8").splitlines(True) if not line.startswith("name:")
    )
    asked = subprocess.run(
        [COMPOSE_TOOL or "", "--file", "-", "config"],
        cwd=COMPOSE.parent,
        input=text,
        env={**REQUIRED, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr
    seen = yaml.safe_load(asked.stdout)["services"]
    for name, service in read_services(REQUIRED).items():
        assert seen[name].get("build", {"context": str(REPOSITORY)})["context"] == str(REPOSITORY)
        assert seen[name].get("command") == service.get("command")
        assert seen[name].get("healthcheck", {}).get("test") == service.get("healthcheck", {}).get("test")
        told = {key: str(value).replace("$$", "$") for key, value in seen[name]["environment"].items()}
        assert told == service["environment"]
