-- Purpose: when a list was served last (null: never), and the time now, by the database's clock.
select pg_catalog.max(s.served_at), pg_catalog.now() from public.served_lists as s;
