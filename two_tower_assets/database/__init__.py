"""Talking to Postgres: connections, named queries from `sql/`, and the migrator. No stage's logic lives here."""
