-- Purpose: whether experiments can be kept here at all: a database that was migrated long ago has no table of them.
select pg_catalog.to_regclass('public.experiments') is not null;
