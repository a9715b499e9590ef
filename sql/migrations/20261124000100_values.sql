-- Purpose: how single values are read: decision types, and numbers and times that JSON can hold.
-- These have no `set search_path`: a function with settings is never inlined. Their bodies are parsed when they
-- are made, so a caller's search_path cannot change them.

create function two_tower.is_like(p_decision_type text) returns boolean
  language sql immutable parallel safe
  security invoker
  return p_decision_type = 'like' or pg_catalog.right(p_decision_type, 5) = '_like';

comment on function two_tower.is_like(text) is 'LIKE: `like`, or any surface prefix followed by `_like`.';

create function two_tower.is_nope(p_decision_type text) returns boolean
  language sql immutable parallel safe
  security invoker
  return p_decision_type = 'nope' or pg_catalog.right(p_decision_type, 5) = '_nope';

comment on function two_tower.is_nope(text) is 'NOPE: `nope`, or any surface prefix followed by `_nope`.';

create function two_tower.finite(p_number numeric) returns numeric
  language sql immutable parallel safe
  security invoker
  return case when p_number not in ('NaN', 'Infinity', '-Infinity') then p_number end;

comment on function two_tower.finite(numeric) is 'The number, or null for NaN and the infinities.';

create function two_tower.finite(p_moment timestamptz) returns timestamptz
  language sql immutable parallel safe
  security invoker
  return case when pg_catalog.isfinite(p_moment) then p_moment end;

comment on function two_tower.finite(timestamptz) is 'The moment, or null for the infinities.';

revoke all on function two_tower.is_like(text) from public, anon;
revoke all on function two_tower.is_nope(text) from public, anon;
revoke all on function two_tower.finite(numeric) from public, anon;
revoke all on function two_tower.finite(timestamptz) from public, anon;
grant execute on function two_tower.is_like(text) to authenticated, service_role;
grant execute on function two_tower.is_nope(text) to authenticated, service_role;
grant execute on function two_tower.finite(numeric) to authenticated, service_role;
grant execute on function two_tower.finite(timestamptz) to authenticated, service_role;
