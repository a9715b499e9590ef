/** One ranking for a user, by one model version from the vector to the last place of the list. */

import type { ArmVersion, Candidates, Data } from "../_shared/data.ts";
import type { Model, Summary } from "../_shared/model.ts";
import { parseMoment } from "../_shared/moments.ts";
import { DatabaseError } from "../_shared/postgrest.ts";
import { NO_CHANGES, type RankingChanges, type RankingSettings, withChanges } from "../_shared/ranking_settings.ts";
import { type Item, listOf } from "./list.ts";
import type { Asked } from "./request.ts";

const MOST_CANDIDATES = 500;
/** Half as many again as are shown: to choose from, and to explore. */
const MORE_THAN_SHOWN = 1.5;

export interface RecommendNeeds extends Omit<RankingSettings, "rerank"> {
  readonly data: Data;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface Recommended {
  readonly model: Model;
  readonly source: "fresh" | "cache";
  readonly summary: Summary | null;
  readonly popular: boolean;
  readonly items: readonly Item[];
}

/** One call of the database where the stored vector is fresh, two where it has to be computed. */
export async function recommend(
  needs: RecommendNeeds,
  asked: Asked,
  model: Model,
  version: ArmVersion,
  changes: RankingChanges = NO_CHANGES,
): Promise<Recommended> {
  const { candidates, diversityLambda, exploreShare } = needs;
  const { rerank } = model.parts;
  const settings = withChanges({ candidates, diversityLambda, exploreShare, rerank }, changes);
  const query = {
    ...version,
    userId: asked.userId,
    limit: Math.min(MOST_CANDIDATES, Math.max(settings.candidates, Math.ceil(MORE_THAN_SHOWN * asked.limit))),
    bannedTagIds: asked.bannedTagIds,
    allowedRegions: asked.allowedRegions,
    excludeVideoIds: [...new Set([...asked.excludeVideoIds, ...asked.seen])],
    maxSafetyLevel: asked.maxSafetyLevel,
    halfLifeDays: model.parts.halfLifeDays,
    refresh: asked.refresh,
    vector: null,
  };
  const list = (found: Extract<Candidates, { found: true }>): Pick<Recommended, "popular" | "items"> => {
    const now = parseMoment(found.asOf) ?? needs.now() * 1000;
    const items = listOf(found.candidates, found.popular, asked.limit, now, { ...settings, random: needs.random });
    return { popular: found.popular, items };
  };
  const stored = await needs.data.candidates(query);
  if (stored.found) return { model, source: "cache", summary: null, ...list(stored) };
  const { embedding, summary } = await model.embed(stored.payload, stored.asOf);
  const found = await needs.data.candidates({ ...query, vector: { embedding, asOf: stored.asOf } });
  if (!found.found) throw new DatabaseError(0, "unexpected", "recommend_for_user asks for a vector that it has");
  return { model, source: "fresh", summary, ...list(found) };
}
