-- Purpose: a page of JSON as rows; Postgres reads its own text, so every value comes out as it went in.
insert into {staged} ({columns})
select {columns} from pg_catalog.json_to_recordset(%s::json) as r ({typed})
