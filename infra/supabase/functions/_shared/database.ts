/** `Data` by PostgREST: the functions of the migration `serving`, with the service key. */

import type {
  Candidate,
  CandidateQuery,
  Candidates,
  Data,
  LiveRelease,
  Registered,
  ServedList,
  UserState,
  UserVector,
  Version,
} from "./data.ts";
import { Json } from "./documents.ts";
import { readExperiments } from "./experiments.ts";
import { DatabaseError, type Postgrest } from "./postgrest.ts";
import { shortestFloats } from "./shortest.ts";

/** PostgREST's word for it. */
const UNKNOWN_FUNCTION = "PGRST202";

export class Database implements Data {
  constructor(readonly postgrest: Postgrest) {}

  async registered(): Promise<Registered> {
    const name = "get_serving";
    const row = await this.postgrest.call(name, {}).catch((error) => {
      // These may be deployed before the database is migrated; then nothing runs.
      if (error instanceof DatabaseError && error.code === UNKNOWN_FUNCTION) return null;
      throw error;
    });
    if (row === null) return { live: await this.#liveRelease(), running: [], unreadable: [] };
    const live = member(row, "live", name);
    return { live: live === null ? null : release(live, name), ...experiments(member(row, "experiments", name)) };
  }

  async userState(userId: string, version: Version, refresh: boolean): Promise<UserState> {
    const name = "user_embedding_state";
    const row = await this.postgrest.call(name, { ...asked(userId, version), p_refresh: refresh });
    const embedding = textOrNull(row, "embedding", name);
    return {
      asOf: text(row, "as_of", name),
      payload: member(row, "payload", name),
      stored: embedding === null ? null : {
        embedding: JSON.parse(embedding),
        updatedAt: text(row, "updated_at", name),
      },
    };
  }

  async storeUserVector(userId: string, version: Version, vector: UserVector): Promise<string> {
    const name = "store_user_embedding";
    const at = await this.postgrest.call(name, { ...asked(userId, version), ...kept(vector) });
    if (typeof at !== "string") throw unexpected(name);
    return at;
  }

  async candidates(query: CandidateQuery): Promise<Candidates> {
    const name = "recommend_for_user";
    const row = await this.postgrest.call(name, {
      ...asked(query.userId, query),
      ...(query.vector === null ? {} : kept(query.vector)),
      ...(query.experiment === null ? {} : { p_experiment: query.experiment }),
      p_limit: query.limit,
      p_banned_tag_ids: query.bannedTagIds,
      p_max_safety_level: query.maxSafetyLevel,
      p_allowed_regions: query.allowedRegions,
      p_exclude_video_ids: query.excludeVideoIds,
      p_refresh: query.refresh,
      p_half_life_days: query.halfLifeDays,
    });
    const asOf = text(row, "as_of", name);
    if (typeof row === "object" && row !== null && "payload" in row) {
      return { found: false, asOf, payload: row.payload };
    }
    const candidates = member(row, "candidates", name);
    if (!Array.isArray(candidates)) throw unexpected(name);
    return {
      found: true,
      asOf,
      popular: member(row, "popular", name) === true,
      candidates: candidates as Candidate[],
    };
  }

  async logServedLists(lists: readonly ServedList[]): Promise<void> {
    const exposed = lists.some(({ experiment }) => experiment !== null);
    const rows = lists.map((list) => ({
      list_id: list.listId,
      user_id: list.userId,
      model_version: list.modelVersion,
      arm: list.arm,
      ...(exposed ? { experiment: list.experiment, teams: list.teams } : {}),
      first_position: list.firstPosition,
      video_ids: list.videoIds,
      scores: list.scores,
      sources: list.sources,
      propensities: list.propensities,
    }));
    await this.postgrest.insertOnce("served_lists", "list_id", rows);
  }

  async refreshPopularity(halfLifeDays: number): Promise<void> {
    await this.postgrest.call("refresh_popularity", { p_half_life_days: halfLifeDays });
  }

  async #liveRelease(): Promise<LiveRelease | null> {
    const rows = await this.postgrest.call("get_live_release", {});
    const [row] = Array.isArray(rows) ? rows : [rows];
    return row === undefined ? null : release(row, "get_live_release");
  }
}

function release(row: unknown, from: string): LiveRelease {
  return {
    modelVersion: text(row, "model_version", from),
    manifestHash: textOrNull(row, "manifest_hash", from),
  };
}

function experiments(value: unknown): Omit<Registered, "live"> {
  if (!Array.isArray(value)) throw unexpected("get_serving");
  return readExperiments(new Json(value, "experiments"));
}

function asked(userId: string, version: Version): Record<string, unknown> {
  return { p_user_id: userId, p_model_version: version.modelVersion, p_allow_retired: version.allowRetired };
}

function kept(vector: UserVector): Record<string, unknown> {
  return { p_embedding: JSON.stringify(shortestFloats(vector.embedding)), p_as_of: vector.asOf };
}

function member(row: unknown, name: string, from: string): unknown {
  if (typeof row !== "object" || row === null || !(name in row)) throw unexpected(from);
  return (row as Record<string, unknown>)[name];
}

function text(row: unknown, name: string, from: string): string {
  const value = member(row, name, from);
  if (typeof value !== "string") throw unexpected(from);
  return value;
}

function textOrNull(row: unknown, name: string, from: string): string | null {
  return member(row, name, from) === null ? null : text(row, name, from);
}

function unexpected(name: string): DatabaseError {
  return new DatabaseError(0, "unexpected", `${name} answered something else`);
}
