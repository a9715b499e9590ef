"""The files of `infra/k8s` as Kubernetes objects, and the schemas that Kubernetes publishes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import kubernetes_validate
import yaml

from two_tower_assets_tests.containers.compose_file import REPOSITORY

FOLDER: Final = REPOSITORY / "infra" / "k8s"
BASE: Final = FOLDER / "base"
VERSIONS: Final = ("1.34", "1.37")
"""Of Kubernetes: the oldest and the newest that the files are held against."""

Object = dict[str, Any]


def resources() -> list[Object]:
    """What the kustomization names, in its order."""
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    return [each for name in kustomization["resources"] for each in _objects(BASE / name)]


def secrets() -> list[Object]:
    """The template of the secrets."""
    return list(_objects(FOLDER / "secrets.template.yaml"))


def _objects(file: Any) -> Iterator[Object]:
    yield from yaml.safe_load_all(file.read_text(encoding="utf-8"))


def named(kind: str, name: str) -> Object:
    """One of the resources."""
    (found,) = (each for each in resources() if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def hold_against_schemas(kubernetes_object: Object) -> None:
    """Fail unless each version's schema allows the object, every key of it included."""
    for version in VERSIONS:
        assert kubernetes_validate.validate(kubernetes_object, version, strict=True) == version
