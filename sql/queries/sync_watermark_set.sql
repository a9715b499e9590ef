-- Purpose: note up to when a table was brought. Parameters: name, watermark.
insert into two_tower.sync_tables (name, watermark)
values (%(name)s, %(watermark)s)
on conflict (name) do update set watermark = excluded.watermark
