-- Purpose: A/B tests: what is compared, who is in which arm, what was done with it, and which served lists belong to it.
-- Rows are written by the database's owner; the Edge Functions read them and log exposures. Assignment is a hash of
-- salt and user, so that nothing is stored of a user and nobody changes arms.

create table public.experiments (
  name text primary key check (name ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  kind text not null default 'arms' check (kind in ('arms', 'interleaving')),
  salt text not null check (salt <> ''),
  traffic numrange,
  primary_metric text not null,
  guardrails text[] not null default '{}',
  attribution_hours int not null default 24 check (attribution_hours between 1 and 720),
  before_days int not null default 28 check (before_days between 0 and 365),
  planned_users bigint not null check (planned_users >= 200),
  state text not null default 'draft' check (state in ('draft', 'running', 'stopped')),
  promoted_arm text,
  created_at timestamptz not null default now(),
  created_by text not null default current_user,
  started_at timestamptz,
  stopped_at timestamptz,
  check (salt <> 'traffic'),
  check ((state = 'draft') = (traffic is null)),
  check ((state = 'draft') = (started_at is null)),
  check ((state = 'stopped') = (stopped_at is not null)),
  check (promoted_arm is null or state = 'stopped'),
  check (not isempty(traffic) and lower_inc(traffic) and not upper_inc(traffic) and traffic <@ '[0,1]'::numrange),
  constraint experiments_share_no_user exclude using gist (traffic with &&) where (state = 'running')
);

comment on table public.experiments is 'What is or was compared with live users.';
comment on column public.experiments.traffic is
  'Slice of [0, 1) of the users that are in; running ones never overlap. A ramp moves its upper bound only.';
comment on column public.experiments.attribution_hours is
  'A decision counts for the lists that showed the video to that user at most so long before it.';
comment on column public.experiments.before_days is 'Days before a user''s first exposure that its activity is adjusted by.';

create table public.experiment_arms (
  experiment text not null references public.experiments (name) on delete cascade,
  arm text not null check (arm ~ '^[a-z0-9][a-z0-9_-]{0,39}$' and arm <> 'interleaved'),
  place smallint not null check (place >= 0),
  weight float8 not null check (weight > 0 and weight <= 1),
  model_version text references public.model_releases (model_version),
  ranking jsonb not null default '{}' check (jsonb_typeof(ranking) = 'object'),
  primary key (experiment, arm),
  unique (experiment, place)
);

comment on table public.experiment_arms is 'The arms of an experiment; place 0 is the control.';
comment on column public.experiment_arms.model_version is 'The release that the arm is served by; null: whatever is live.';
comment on column public.experiment_arms.ranking is 'Settings of the list that differ from the release''s and the deployment''s.';

create index experiment_arms_by_version on public.experiment_arms (model_version);

create table public.experiment_log (
  id bigint generated always as identity primary key,
  experiment text not null,
  action text not null check (action in ('create', 'start', 'ramp', 'stop', 'promote', 'discard')),
  at timestamptz not null default now(),
  by_whom text not null default current_user,
  traffic numrange,
  note text
);

comment on table public.experiment_log is 'Everything that was done with experiments; rows are only ever added.';

create trigger experiment_log_only_grows
  before update or delete or truncate on public.experiment_log
  for each statement execute function two_tower.refuse_change();

alter table public.served_lists
  add column experiment text,
  add column teams text[],
  add check (teams is null or experiment is not null),
  add check (teams <@ array['control', 'arm'] and pg_catalog.array_position(teams, null) is null),
  add check (pg_catalog.cardinality(teams) = pg_catalog.cardinality(video_ids));

comment on column public.served_lists.experiment is
  'The running experiment that the list was served for; a user''s first such list enters that user.';
comment on column public.served_lists.teams is
  'Of an interleaved list: which arm each place counts for, ''control'' or ''arm'' (the arm at place 1).';

create index served_lists_by_experiment on public.served_lists (experiment, user_id, served_at)
  where experiment is not null;

-- Arms are what users were promised to: after the start they stay as they are.
create function two_tower.refuse_started_arms() returns trigger
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  if exists (
    select from public.experiments as e where e.name in (old.experiment, new.experiment) and e.state <> 'draft'
  ) then
    raise exception 'The arms of experiment % stay as they are: it was started', coalesce(old.experiment, new.experiment)
      using errcode = 'object_not_in_prerequisite_state', hint = 'Create a new experiment.';
  end if;
  return coalesce(new, old);
end
$$;

create trigger experiment_arms_stay
  before insert or update or delete on public.experiment_arms
  for each row execute function two_tower.refuse_started_arms();

-- A user's place in [0, 1): the first 52 bits of a SHA-256, which every language divides to the same float64.
create function two_tower.experiment_point(p_salt text, p_user_id uuid) returns float8
  language sql stable strict parallel safe
  security invoker
  set search_path = ''
  return ('x' || pg_catalog.left(
      pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p_salt || ':' || p_user_id::text, 'UTF8')), 'hex'), 13
    ))::bit(52)::bigint::float8 / 4503599627370496;

comment on function two_tower.experiment_point(text, uuid) is
  'Where a salt puts a user in [0, 1): uniform, the same for ever, and independent between salts.';

create function two_tower.experiment_arm(p_experiment text, p_user_id uuid) returns text
  language sql stable strict parallel safe
  security invoker
  set search_path = ''
as $$
  select case e.kind when 'interleaving' then 'interleaved' else a.arm end
  from public.experiments as e
  cross join lateral (
    select
      w.arm,
      w.place,
      pg_catalog.sum(w.weight) over (order by w.place) as until,
      w.place = pg_catalog.max(w.place) over () as is_last
    from public.experiment_arms as w
    where w.experiment = e.name
  ) as a
  where e.name = p_experiment
    and two_tower.experiment_point('traffic', p_user_id) >= pg_catalog.lower(e.traffic)::float8
    and two_tower.experiment_point('traffic', p_user_id) < pg_catalog.upper(e.traffic)::float8
    and (a.is_last or two_tower.experiment_point(e.salt, p_user_id) < a.until)
  order by a.place
  limit 1
$$;

comment on function two_tower.experiment_arm(text, uuid) is
  'The arm that a user is in, interleaved where all see both; null outside the traffic or before the start.';

alter table public.experiments enable row level security;
alter table public.experiment_arms enable row level security;
alter table public.experiment_log enable row level security;

revoke all on public.experiments, public.experiment_arms, public.experiment_log
  from public, anon, authenticated, service_role;
revoke all on sequence public.experiment_log_id_seq from public, anon, authenticated, service_role;
grant select on public.experiments, public.experiment_arms, public.experiment_log to service_role;

revoke all on function two_tower.refuse_started_arms() from public, anon, authenticated, service_role;
revoke all on function two_tower.experiment_point(text, uuid) from public, anon, authenticated, service_role;
revoke all on function two_tower.experiment_arm(text, uuid) from public, anon, authenticated, service_role;
grant execute on function two_tower.experiment_point(text, uuid) to service_role;
grant execute on function two_tower.experiment_arm(text, uuid) to service_role;

notify pgrst, 'reload schema';
