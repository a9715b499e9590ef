"""Two people, A and B, with rows in every table, and the four callers that try what they may do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

import psycopg

from two_tower_assets_tests.database.access.relations import FIRST_VIDEO, NAMED, SECOND_VIDEO, Relation, Verb
from two_tower_assets_tests.database.releases import as_text, release, unit_vectors
from two_tower_assets_tests.database.rows import Connection, acting_as, column, user_id, video_id

A: Final = 1
B: Final = 2
VECTOR: Final = as_text(unit_vectors(1)[0])

Rows = Counter[tuple[str, str]]
"""Rows of a relation, each with whose it is: A, B, `live` (of the live version) or `row`."""


@dataclass(frozen=True)
class Caller:
    """A role, and who is signed in."""

    role: str
    user: int | None = None

    def __str__(self) -> str:
        return {A: "A", B: "B"}.get(self.user or 0, self.role)

    @property
    def key(self) -> str:
        """Name of a signed-in user's rows."""
        return str(self)


ANON: Final = Caller("anon")
CALLERS: Final = (ANON, Caller("authenticated", A), Caller("authenticated", B), Caller("service_role"))

_SEED: Final = f"""
insert into public.videos (id, title) values ({FIRST_VIDEO}, 'first'), ({SECOND_VIDEO}, 'second');
insert into public.tag_groups (id, name) values ({NAMED}, 'group');
insert into public.tags (id, name) values ({NAMED}, 'tag');
insert into public.performers (id, name) values ({NAMED}, 'performer');
insert into public.video_tags values ({FIRST_VIDEO}, {NAMED});
insert into public.video_performers values ({FIRST_VIDEO}, {NAMED});
insert into public.profiles (user_id, display_name) select u, 'somebody' from people as p (u);
insert into public.user_video_decisions select u, {FIRST_VIDEO}, 'like', '2024-01-01' from people as p (u);
insert into public.served_lists
  select gen_random_uuid(), u, 'v1', now(), 'test', 0, '{{}}', '{{}}', '{{}}', '{{}}' from people as p (u);
insert into public.experiments (name, salt, primary_metric, planned_users) values ('test', 'salt', 'like_rate', 200);
insert into public.experiment_arms values ('test', 'control', 0, 0.5), ('test', 'challenger', 1, 0.5);
insert into public.experiment_log (experiment, action) values ('test', 'create');
insert into two_tower.user_embedding_versions (user_id, embedding, model_version)
  select u, '{VECTOR}', m from people as p (u), unnest(array['v1', 'unreleased']) as m;
insert into two_tower.video_embeddings_unreleased (video_id, embedding) values ({FIRST_VIDEO}, '{VECTOR}');
insert into two_tower.video_popularity values ({FIRST_VIDEO}, 1);
insert into two_tower.popularity_count values (true, 30, now());
insert into two_tower.loads (source, content_hash, row_counts) values ('test', 'hash', '{{}}');
insert into two_tower.adopted_tables values ('something');
insert into two_tower.sync_tables values ('something', now());
insert into two_tower.sync_ranges (name, place, source, lower_id) values ('something', 0, 'test', {FIRST_VIDEO});
insert into two_tower.sync_origin values ('test');
"""


def seed(connection: Connection) -> None:
    """Release v1, prepare v2, and give A and B rows everywhere."""
    release(connection, "v1", None, {video_id(1): unit_vectors(1)[0]})
    connection.execute("insert into public.model_releases (model_version) values ('v2')")
    connection.execute(
        f"create temporary table people as select unnest(array['{user_id(A)}', '{user_id(B)}']::uuid[])"
    )
    connection.execute(_SEED)
    connection.execute("drop table people")


def rows_of(connection: Connection, name: str, relation: Relation) -> Rows:
    """Every row as the owner sees it."""
    return Counter(connection.execute(f"select {_whose(name, relation)}, t::text from {name} as t").fetchall())


def visible(connection: Connection, caller: Caller, name: str, relation: Relation) -> Counter[str] | None:
    """What a caller reads of the columns that are there to read; None where reading is refused."""
    chosen = _columns(caller, relation)
    try:
        with acting_as(connection, caller.role, caller.user):
            return Counter(column(connection, f"select t::text from (select {chosen} from {name}) as t"))
    except psycopg.errors.InsufficientPrivilege:
        return None


def expected(connection: Connection, caller: Caller, name: str, relation: Relation, scope: str) -> Counter[str]:
    """What there is to read within a scope, by the owner's eyes."""
    where = "true" if scope == "all" else f"{_whose(name, relation)} = '{caller.key if scope == 'own' else scope}'"
    chosen = f"select {_columns(caller, relation)} from {name} as t where {where}"
    return Counter(column(connection, f"select t::text from ({chosen}) as t"))


def attempt(
    connection: Connection, caller: Caller, name: str, relation: Relation, verb: Verb, *, whose: int = A
) -> Rows | None:
    """Try a verb and return the rows that it changed, took or made, as the owner sees it; None where it is refused.

    Nothing of it stays.
    """
    statement = {
        "insert": f"insert into {name} {relation.insert}".format(user=f"'{user_id(whose)}'", vector=f"'{VECTOR}'"),
        "update": f"update {name} set {relation.change}",
        "delete": f"delete from {name}",
        "truncate": f"truncate {name}",
    }[verb]
    try:
        with connection.transaction(force_rollback=True):
            if verb == "insert" and relation.one_each:
                owned = f" where user_id = '{user_id(whose)}'" if relation.people else ""
                connection.execute(f"delete from {name}{owned}")
            before = rows_of(connection, name, relation)
            _as_caller(connection, caller, statement)
            after = rows_of(connection, name, relation)
            return after - before if verb == "insert" else before - after
    except psycopg.errors.InsufficientPrivilege:
        return None
    except psycopg.errors.WrongObjectType:
        # No view can be emptied by TRUNCATE, whoever asks.
        assert verb == "truncate"
        return None


def _as_caller(connection: Connection, caller: Caller, statement: str) -> None:
    claims = f'{{"role": "{caller.role}"' + (f', "sub": "{user_id(caller.user)}"}}' if caller.user else "}")
    connection.execute(f"set local role {caller.role}")
    connection.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
    connection.execute(statement)
    connection.execute("reset role")


def _columns(caller: Caller, relation: Relation) -> str:
    return "*" if relation.columns is None or caller.role != "authenticated" else ", ".join(relation.columns)


def _whose(name: str, relation: Relation) -> str:
    if relation.people:
        return f"case t.user_id when '{user_id(A)}' then 'A' when '{user_id(B)}' then 'B' end"
    return {"public.model_releases": "t.state", "public.live_release": "'live'"}.get(name, "'row'")
