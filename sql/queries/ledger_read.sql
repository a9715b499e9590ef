-- Purpose: every migration recorded by this project's migrator.
select version, name, checksum from two_tower.schema_migrations order by version;
