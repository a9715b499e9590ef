/** `ai-recommend-v5`: videos for a user, by one model version from the vector to the last place of the list. */

import { type Identify, requireOwn } from "../_shared/caller.ts";
import type { Candidate, Candidates, ServedList, Version } from "../_shared/data.ts";
import { type Answer, endpoint, type Handler } from "../_shared/endpoint.ts";
import { requireForceAllowed } from "../_shared/force.ts";
import type { LiveModel } from "../_shared/live_model.ts";
import type { Model, Summary } from "../_shared/model.ts";
import { parseMoment } from "../_shared/moments.ts";
import { withOneVersion } from "../_shared/one_version.ts";
import { writePage } from "../_shared/page.ts";
import { DatabaseError } from "../_shared/postgrest.ts";
import type { RateLimit } from "../_shared/rate_limit.ts";
import { Afterwards, type AfterwardsNeeds } from "./afterwards.ts";
import { type Item, listOf } from "./list.ts";
import { type Asked, readAsked } from "./request.ts";

const MOST_CANDIDATES = 500;
/** Half as many again as are shown: to choose from, and to explore. */
const MORE_THAN_SHOWN = 1.5;

export interface Dependencies extends AfterwardsNeeds {
  readonly identify: Identify;
  readonly live: LiveModel;
  readonly forceLimit: RateLimit;
  readonly allowedOrigins: readonly string[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Fewest candidates that a list is chosen from; half as many again as are shown, if that is more. */
  readonly candidates: number;
  readonly diversityLambda: number;
  readonly exploreShare: number;
  /** Name that served lists are logged under. */
  readonly arm: string;
}

interface Recommended {
  readonly model: Model;
  readonly source: "fresh" | "cache";
  readonly summary: Summary | null;
  readonly popular: boolean;
  readonly items: readonly Item[];
}

export function aiRecommend(needs: Dependencies): Handler {
  const afterwards = new Afterwards(needs);
  return endpoint({
    name: "ai-recommend-v5",
    methods: ["POST"],
    allowedOrigins: needs.allowedOrigins,
    log: needs.log,
    now: needs.now,
    work: (request) => answer(needs, afterwards, request),
  });
}

async function answer(needs: Dependencies, afterwards: Afterwards, request: Request): Promise<Answer> {
  const caller = await needs.identify(request);
  const asked = await readAsked(request);
  requireOwn(caller, asked.userId);
  if (asked.refresh) requireForceAllowed(needs.forceLimit, caller);
  const made = await withOneVersion(
    needs.live,
    needs.log,
    (model, version) => recommend(needs, asked, model, version),
  );
  const { model, source, summary, popular, items } = made.result;
  const list = servedList(asked, model.modelVersion, needs.arm, items);
  afterwards.served(list);
  if (popular) afterwards.popularShown(model.parts.halfLifeDays);
  const body = {
    userId: asked.userId,
    embeddingSource: source,
    embeddingSummary: summary,
    modelVersion: model.modelVersion,
    items: items.map(shown),
    listId: list.listId,
    nextPage: items.length < asked.limit ? null : writePage([...asked.seen, ...list.videoIds]),
  };
  return { body, headers: made.headers };
}

/** One call of the database where the stored vector is fresh, two where it has to be computed. */
async function recommend(needs: Dependencies, asked: Asked, model: Model, version: Version): Promise<Recommended> {
  const query = {
    ...version,
    userId: asked.userId,
    limit: Math.min(MOST_CANDIDATES, Math.max(needs.candidates, Math.ceil(MORE_THAN_SHOWN * asked.limit))),
    bannedTagIds: asked.bannedTagIds,
    allowedRegions: asked.allowedRegions,
    excludeVideoIds: [...new Set([...asked.excludeVideoIds, ...asked.seen])],
    maxSafetyLevel: asked.maxSafetyLevel,
    halfLifeDays: model.parts.halfLifeDays,
    refresh: asked.refresh,
    vector: null,
  };
  const stored = await needs.data.candidates(query);
  if (stored.found) return { model, source: "cache", summary: null, ...listed(needs, asked, model, stored) };
  const { embedding, summary } = await model.embed(stored.payload, stored.asOf);
  const found = await needs.data.candidates({ ...query, vector: { embedding, asOf: stored.asOf } });
  if (!found.found) throw new DatabaseError(0, "unexpected", "recommend_for_user asks for a vector that it has");
  return { model, source: "fresh", summary, ...listed(needs, asked, model, found) };
}

function listed(
  needs: Dependencies,
  asked: Asked,
  model: Model,
  found: Extract<Candidates, { found: true }>,
): Pick<Recommended, "popular" | "items"> {
  const now = parseMoment(found.asOf) ?? needs.now() * 1000;
  const items = listOf(found.candidates, found.popular, asked.limit, now, { ...needs, rerank: model.parts.rerank });
  return { popular: found.popular, items };
}

function shown({ video, similarity, score, source }: Item): Record<string, unknown> {
  return { video: shownVideo(video), similarity, distance: video.distance, score, source };
}

/** What of a candidate is for the caller's eyes. */
function shownVideo(video: Candidate): Omit<Candidate, "distance" | "popularity"> {
  const { distance: _, popularity: __, ...rest } = video;
  return rest;
}

function servedList(asked: Asked, modelVersion: string, arm: string, items: readonly Item[]): ServedList {
  return {
    listId: crypto.randomUUID(),
    userId: asked.userId,
    modelVersion,
    arm,
    firstPosition: asked.seen.length,
    videoIds: items.map(({ video }) => video.id),
    scores: items.map(({ score }) => score),
    sources: items.map(({ source }) => source),
    propensities: items.map(({ propensity }) => propensity),
  };
}
