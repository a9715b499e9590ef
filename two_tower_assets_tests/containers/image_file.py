"""`infra/Dockerfile` taken apart: its instructions, and what its last stage says of a container."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from two_tower_assets_tests.containers.compose_file import REPOSITORY

DOCKERFILE = REPOSITORY / "infra" / "Dockerfile"


@dataclass(frozen=True)
class Instruction:
    """One instruction, its lines joined."""

    name: str
    text: str


@dataclass(frozen=True)
class Image:
    """What a container of the image has and does where nothing else is said."""

    environment: dict[str, str]
    command: list[str]
    health: list[str]
    user: str


def instructions() -> Iterator[Instruction]:
    """The instructions in order, without comments."""
    lines = [line for line in DOCKERFILE.read_text(encoding="utf-8").splitlines() if not line.strip().startswith("#")]
    for statement in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if statement.strip():
            name, _, text = statement.partition(" ")
            yield Instruction(name, text.strip())


def copied() -> Iterator[str]:
    """The paths of the repository that the image is built from."""
    for instruction in instructions():
        if instruction.name == "COPY" and "--from=" not in instruction.text:
            yield from instruction.text.split()[:-1]


def read_image() -> Image:
    """The last stage; of each instruction the last one counts, as in Docker."""
    everything = list(instructions())
    begin = max(index for index, instruction in enumerate(everything) if instruction.name == "FROM")
    said = {instruction.name: instruction.text for instruction in everything[begin:]}
    return Image(
        environment=dict(pair.split("=", 1) for pair in shlex.split(said["ENV"])),
        command=json.loads(said["CMD"]),
        health=json.loads(said["HEALTHCHECK"].partition("CMD ")[2]),
        user=said["USER"],
    )
