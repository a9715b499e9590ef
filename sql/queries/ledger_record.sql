-- Purpose: record one migration. Parameters: version, name, checksum, adopted.
insert into two_tower.schema_migrations (version, name, checksum, adopted)
values (%(version)s, %(name)s, %(checksum)s, %(adopted)s);
