"""`infra/docker-compose.yml` as Compose reads it: variables put in, services in the order in which they start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "infra" / "docker-compose.yml"
# These alone must be set; the password has what a URL would have to escape.
REQUIRED = {
    "POSTGRES_PASSWORD": "p@ss/w$rd:%?#",
    "SUPABASE_URL": "http://127.0.0.1:9",
    "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_of_a_test",
    "SUPABASE_DB_URL": "postgresql://served@postgres:5432/served",
}

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")

Service = dict[str, Any]


def read_services(variables: Mapping[str, str]) -> dict[str, Service]:
    """Every service by its name, in the order in which they start.

    Raises:
        LookupError: a variable with `:?` is not set; the text is what Compose would say.
    """
    content = _put_in(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")), variables)
    services: dict[str, Service] = content["services"]
    order = TopologicalSorter({name: service.get("depends_on", {}) for name, service in services.items()})
    return {name: services[name] for name in order.static_order()}


def _put_in(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _put_in(inner, variables) for key, inner in value.items()}
    if isinstance(value, list):
        return [_put_in(inner, variables) for inner in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, variables), value)
    return value


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    value = variables.get(found["name"], "")
    if not value and found["kind"] == "?":
        raise LookupError(f"required variable {found['name']} is missing a value: {found['rest']}")
    return value or found["rest"] or ""
