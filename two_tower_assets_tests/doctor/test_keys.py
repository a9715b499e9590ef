from __future__ import annotations

import base64
import json
import time
from datetime import timedelta

import pytest

from two_tower_assets.doctor.keys import look_at_keys
from two_tower_assets.environment import read_environment
from two_tower_assets.local.keys import ProjectKeys, make_token, new_secret
from two_tower_assets_tests.doctor.looks import Record, levels, note

KEYS = ProjectKeys(new_secret())


def hosted(role: str, ref: str, lifetime: int = 10**9) -> str:
    """A key as a hosted project issues them; its signature is nobody's."""
    parts = ({"alg": "HS256", "typ": "JWT"}, {"role": role, "ref": ref, "exp": int(time.time()) + lifetime})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2lnbmVk"])


@pytest.mark.parametrize(
    ("variables", "expected", "words"),
    [
        (
            {"SUPABASE_SERVICE_ROLE_KEY": KEYS.service_role, "SUPABASE_ANON_KEY": KEYS.anon},
            ["ok", "ok"],
            "service_role",
        ),
        ({"SUPABASE_SECRET_KEYS": '{"default": "sb_secret_a"}'}, ["ok", "unused"], "a secret key"),
        ({"SUPABASE_SERVICE_ROLE_KEY": "sb_publishable_a"}, ["problem", "unused"], "is of kind publishable"),
        ({"SUPABASE_SERVICE_ROLE_KEY": KEYS.anon}, ["problem", "unused"], "is of kind anon"),
        (
            {"SUPABASE_SERVICE_ROLE_KEY": make_token(KEYS.secret, "service_role", lifetime=timedelta(days=-1))},
            ["problem", "unused"],
            "has expired on 20",
        ),
        (
            {"SUPABASE_SERVICE_ROLE_KEY": make_token(KEYS.secret, "service_role", lifetime=timedelta(days=3))},
            ["warning", "unused"],
            "expires on 20",
        ),
        ({"SUPABASE_SERVICE_ROLE_KEY": "something else"}, ["warning", "unused"], "none of the known forms"),
        ({"SUPABASE_ANON_KEY": KEYS.service_role}, ["unused", "problem"], "may do everything"),
        ({"SUPABASE_PUBLISHABLE_KEYS": '{"default": "sb_publishable_a"}'}, ["unused", "ok"], "a publishable key"),
        (
            {"SUPABASE_URL": "https://abc.supabase.co", "SUPABASE_SERVICE_ROLE_KEY": hosted("service_role", "xyz")},
            ["problem", "unused"],
            "of project xyz",
        ),
        (
            {"SUPABASE_URL": "https://abc.supabase.co", "SUPABASE_SERVICE_ROLE_KEY": hosted("service_role", "abc")},
            ["ok", "unused"],
            "a service_role key",
        ),
        ({"HOME": "/"}, ["unused", "unused"], "SUPABASE_SERVICE_ROLE_KEY is not set"),
    ],
)
def test_each_kind_of_key(
    variables: dict[str, str], expected: list[str], words: str, record_property: Record
) -> None:
    """A key is judged by its variable, its form, its project and its age; no key is ever in a finding."""
    found = list(look_at_keys(read_environment(variables)))
    assert levels(found) == expected
    note(record_property, "keys", *(finding for finding in found if finding.level in {"warning", "problem"}))
    assert words in " ".join(finding.what for finding in found)
    for name, value in variables.items():
        assert name in {"HOME", "SUPABASE_URL"} or value not in str(found)
