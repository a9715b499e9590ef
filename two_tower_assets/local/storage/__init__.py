"""Parts of the local server that answers as Supabase Storage does; the server itself is `local.storage_server`."""
