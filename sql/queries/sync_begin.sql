-- Purpose: note whose rows are going to arrive. Parameter: source.
insert into two_tower.sync_origin (source) values (%(source)s) on conflict do nothing
