"""The embedded stack: a Postgres with pgvector that needs no account, no Docker and no root."""
