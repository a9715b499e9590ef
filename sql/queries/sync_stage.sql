-- Purpose: an empty table for rows on their way, without constraints; unlogged, since a crash only means reading again.
create unlogged table if not exists {staged} as select {columns} from public.{table} with no data
