"""What each role may do with the rows of each table and view of the schemas `public` and `two_tower`.

An expectation names rows: all, one's own, the live version's. A verb that is not named is refused; `anon` is named
nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Verb = Literal["select", "insert", "update", "delete", "truncate"]
Scope = Literal["all", "own", "live"]
Access = Mapping[Verb, Scope]

VERBS: Final[tuple[Verb, ...]] = ("select", "insert", "update", "delete", "truncate")

READ: Final[Access] = {"select": "all"}
READ_OWN: Final[Access] = {"select": "own"}
WRITE: Final[Access] = {"select": "all", "insert": "all", "update": "all", "delete": "all"}
WRITE_OWN: Final[Access] = {"select": "own", "insert": "own", "update": "own", "delete": "own"}
GROW: Final[Access] = {"select": "all", "insert": "all"}
NOTHING: Final[Access] = {}

NEW_VIDEO: Final = "'11111111-0000-4000-8000-000000000063'"
FIRST_VIDEO: Final = "'11111111-0000-4000-8000-000000000001'"
SECOND_VIDEO: Final = "'11111111-0000-4000-8000-000000000002'"
NAMED: Final = "'22222222-0000-4000-8000-000000000001'"
"""Id of the only tag, the only performer and the only tag group."""


@dataclass(frozen=True)
class Relation:
    """One table or view, and how its rows are tried."""

    authenticated: Access
    service_role: Access
    insert: str
    """Columns and values of a new row; `{user}` and `{vector}` stand for a user's id and a vector."""
    change: str
    """What an update sets, so that every row differs afterwards."""
    people: bool = False
    """Whether each row is somebody's, by `user_id`."""
    one_each: bool = False
    """Whether the new row's key is taken, so that a row has to go first."""
    columns: tuple[str, ...] | None = None
    """The columns that signed-in users may read, where not all."""


def _named(name: str = "name") -> Relation:
    return Relation(READ, WRITE, f"({name}) values ('new')", f"{name} = 'changed'")


def _link(column: str) -> Relation:
    return Relation(
        READ, WRITE, f"(video_id, {column}) values ({SECOND_VIDEO}, {NAMED})", f"video_id = {SECOND_VIDEO}"
    )


def _user_vectors(version: str, authenticated: Access = READ_OWN) -> Relation:
    row = f"(user_id, embedding, model_version) values ({{user}}, {{vector}}, '{version}')"
    later = "updated_at = updated_at + interval '1 day'"
    return Relation(authenticated, WRITE, row, later, people=True, one_each=True)


def _video_vectors(authenticated: Access = READ) -> Relation:
    row = f"(video_id, embedding) values ({NEW_VIDEO}, {{vector}})"
    return Relation(authenticated, WRITE, row, "updated_at = updated_at + interval '1 day'")


def _closed(change: str, service_role: Access = NOTHING, columns: tuple[str, ...] | None = None) -> Relation:
    authenticated: Access = {} if columns is None else {"select": "live"}
    return Relation(authenticated, service_role, "default values", change, columns=columns)


RELATIONS: Final[Mapping[str, Relation]] = {
    "public.videos": _named("title"),
    "public.tag_groups": _named(),
    "public.tags": _named(),
    "public.performers": _named(),
    "public.video_tags": _link("tag_id"),
    "public.video_performers": _link("performer_id"),
    "public.profiles": Relation(
        {"select": "own", "insert": "own", "update": "own"},
        WRITE,
        "(user_id, display_name) values ({user}, 'new')",
        "display_name = 'changed'",
        people=True,
        one_each=True,
    ),
    "public.user_video_decisions": Relation(
        WRITE_OWN,
        WRITE,
        f"(user_id, video_id, decision_type) values ({{user}}, {NEW_VIDEO}, 'like')",
        "decision_type = 'nope'",
        people=True,
    ),
    "public.user_embeddings": _user_vectors("v1"),
    "public.video_embeddings": _video_vectors(authenticated={}),
    "public.model_releases": _closed(
        "manifest_hash = 'changed'", READ, columns=("model_version", "vector_table", "vector_index")
    ),
    "public.live_release": _closed("activated_by = 'changed'", READ, columns=("model_version",)),
    "public.release_log": _closed("note = 'changed'", READ),
    "public.served_lists": Relation(
        {},
        GROW,
        "values (gen_random_uuid(), {user}, 'v1', now(), 'test', 0, '{{}}', '{{}}', '{{}}', '{{}}')",
        "arm = 'changed'",
        people=True,
    ),
    "public.experiments": _closed("salt = 'changed'", READ),
    "public.experiment_arms": _closed("place = place + 10", READ),
    "public.experiment_log": _closed("note = 'changed'", READ),
    "two_tower.user_embedding_versions": _user_vectors("v1", authenticated={}),
    "two_tower.user_embeddings_v1": _user_vectors("v1"),
    "two_tower.user_embeddings_unreleased": _user_vectors("unreleased"),
    "two_tower.video_embeddings_v1": _video_vectors(),
    "two_tower.video_embeddings_unreleased": _video_vectors(),
    "two_tower.video_popularity": Relation(
        READ, WRITE, f"values ({NEW_VIDEO}, 0.0)", "log_popularity = log_popularity + 1"
    ),
    "two_tower.popularity_count": Relation(
        READ, WRITE, "values (true, 7, now())", "half_life_days = half_life_days + 1", one_each=True
    ),
    "two_tower.loads": _closed("source = 'changed'", READ),
    "two_tower.adopted_tables": _closed("name = 'changed'"),
    "two_tower.sync_tables": _closed("name = 'changed'"),
    "two_tower.sync_ranges": _closed("name = 'changed'"),
    "two_tower.sync_origin": _closed("source = 'changed'"),
    "two_tower.schema_migrations": _closed("name = 'changed'"),
}
