-- Purpose: close the sequences behind identity columns. A table's grants say nothing of them, and where default
-- privileges open every new sequence of a schema, as hosted ones do, any role could read, advance and set them.
-- Who may insert a row needs no right on an identity column's sequence.

do $$
declare
  v_sequence text;
begin
  foreach v_sequence in array array[
    pg_catalog.pg_get_serial_sequence('public.release_log', 'id'),
    pg_catalog.pg_get_serial_sequence('two_tower.loads', 'id')
  ] loop
    execute pg_catalog.format('revoke all on sequence %s from public, anon, authenticated, service_role', v_sequence);
  end loop;
end
$$;
