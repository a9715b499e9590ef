-- Purpose: rows that point at a row which is not here.
select count(*) from {rows} as s where not ({has_all_parents})
