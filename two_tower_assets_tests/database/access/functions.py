"""Who may call each function of the schemas `public` and `two_tower`; `anon` may call none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SIGNED_IN: Final = frozenset({"authenticated", "service_role"})
SERVERS: Final = frozenset({"service_role"})
OWNER: Final = frozenset[str]()
"""Only the database's owner, who publishes releases."""

FUNCTIONS: Final[Mapping[str, frozenset[str]]] = {
    "public.get_item_embedding_feature_batch(integer,integer,uuid,boolean)": SERVERS,
    "public.get_item_embedding_features(uuid)": SIGNED_IN,
    "public.get_live_release()": SERVERS,
    "public.get_serving()": SERVERS,
    "public.get_sync_ranges(text,text[],text[],uuid[],uuid,uuid[])": SERVERS,
    "public.get_user_embedding_feature_batch(integer,integer,uuid,timestamp with time zone)": SERVERS,
    "public.get_user_embedding_features(uuid,timestamp with time zone)": SIGNED_IN,
    "public.popular_videos(integer,uuid[],integer,text[],uuid[],timestamp with time zone,uuid)": SIGNED_IN,
    "public.recommend_for_user(uuid,text,integer,uuid[],integer,text[],uuid[],boolean,extensions.vector,"
    "timestamp with time zone,double precision,boolean,text)": SERVERS,
    "public.recommend_videos_ann(extensions.vector,integer,uuid[],integer,text[],uuid[],timestamp with time zone,"
    "text)": SIGNED_IN,
    "public.refresh_popularity(double precision,interval)": SERVERS,
    "public.store_user_embedding(uuid,text,extensions.vector,timestamp with time zone,boolean)": SERVERS,
    "public.user_embedding_state(uuid,text,boolean,boolean)": SERVERS,
    "two_tower.activate_release(text,text,text,text)": OWNER,
    "two_tower.admissible(uuid[],integer,text[],uuid[],timestamp with time zone)": SIGNED_IN,
    "two_tower.admissible_videos(uuid[],integer,text[],uuid[],timestamp with time zone)": OWNER,
    "two_tower.candidate_rows(uuid[],double precision[],double precision[])": SERVERS,
    "two_tower.close_new_table(text)": OWNER,
    "two_tower.create_video_embeddings(text)": OWNER,
    "two_tower.database_identity()": SERVERS,
    "two_tower.distances(text,extensions.vector,uuid[])": SERVERS,
    "two_tower.drop_embedding_tables(text)": OWNER,
    "two_tower.drop_overloads(text)": OWNER,
    "two_tower.drop_release_vectors(text)": OWNER,
    "two_tower.experiment_arm(text,uuid)": SERVERS,
    "two_tower.experiment_point(text,uuid)": SERVERS,
    "two_tower.faded(timestamp with time zone,double precision)": SIGNED_IN,
    "two_tower.finite(numeric)": SIGNED_IN,
    "two_tower.finite(timestamp with time zone)": SIGNED_IN,
    "two_tower.fresh_user_embedding(uuid,text)": SERVERS,
    "two_tower.index_order(text)": SIGNED_IN,
    "two_tower.index_video_embeddings(text,integer,integer,text)": OWNER,
    "two_tower.is_like(text)": SIGNED_IN,
    "two_tower.is_nope(text)": SIGNED_IN,
    "two_tower.item_payloads(uuid[])": SIGNED_IN,
    "two_tower.keep_user_embedding(uuid,text,extensions.vector,timestamp with time zone)": SERVERS,
    "two_tower.live_vectors(text)": SIGNED_IN,
    "two_tower.make_embedding_tables(text)": OWNER,
    "two_tower.nearest(text,text,text,extensions.vector,integer,uuid[],integer,text[],uuid[],"
    "timestamp with time zone,integer)": SIGNED_IN,
    "two_tower.page_of_users(uuid,integer,integer,timestamp with time zone)": SERVERS,
    "two_tower.page_of_videos(uuid,integer,integer,boolean)": SERVERS,
    "two_tower.refuse_change()": OWNER,
    "two_tower.refuse_started_arms()": OWNER,
    "two_tower.require_complete(public.model_releases)": OWNER,
    "two_tower.require_key(text,text[])": OWNER,
    "two_tower.require_own_or_service(uuid)": SIGNED_IN,
    "two_tower.serving_vectors(text,boolean,text)": SERVERS,
    "two_tower.show_version(text)": OWNER,
    "two_tower.sync_ranges_sql(text,text[],text[],boolean)": SERVERS,
    "two_tower.sync_value(text,text)": SERVERS,
    "two_tower.sync_value_hash(text,text,integer)": SERVERS,
    "two_tower.touch()": OWNER,
    "two_tower.user_payloads(uuid[],timestamp with time zone)": SIGNED_IN,
    "two_tower.version_suffix(text)": OWNER,
}
