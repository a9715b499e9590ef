/** `ai-recommend-v5`: videos for a user. */

import { type Identify, requireOwn } from "../_shared/caller.ts";
import type { Candidate, ServedList } from "../_shared/data.ts";
import { type Answer, endpoint, type Handler } from "../_shared/endpoint.ts";
import { requireForceAllowed } from "../_shared/force.ts";
import type { LiveModel } from "../_shared/live_model.ts";
import { modelHeaders, withOneVersion } from "../_shared/one_version.ts";
import { writePage } from "../_shared/page.ts";
import type { RateLimit } from "../_shared/rate_limit.ts";
import { Afterwards, type AfterwardsNeeds } from "./afterwards.ts";
import type { Item } from "./list.ts";
import { type Asked, readAsked } from "./request.ts";
import { type Treated, treated, type TreatedNeeds } from "./treated.ts";

export interface Dependencies extends AfterwardsNeeds, TreatedNeeds {
  readonly identify: Identify;
  readonly live: LiveModel;
  readonly forceLimit: RateLimit;
  readonly allowedOrigins: readonly string[];
  /** Name that served lists of no experiment are logged under. */
  readonly arm: string;
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
    (model, version, attempt) => treated(needs, asked, model, version, attempt),
  );
  const { model, source, summary, popular, items, exposure } = made.result;
  const list = servedList(asked, needs.arm, made.result);
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
  return { body, headers: { ...made.headers, ...modelHeaders(model), ...exposureHeaders(exposure) } };
}

function shown({ video, similarity, score, source }: Item): Record<string, unknown> {
  return { video: shownVideo(video), similarity, distance: video.distance, score, source };
}

/** What of a candidate is for the caller's eyes. */
function shownVideo(video: Candidate): Omit<Candidate, "distance" | "popularity"> {
  const { distance: _, popularity: __, ...rest } = video;
  return rest;
}

function exposureHeaders(exposure: Treated["exposure"]): Record<string, string> {
  return exposure === null ? {} : { "x-experiment": exposure.experiment, "x-arm": exposure.arm };
}

function servedList(asked: Asked, otherwise: string, { model, items, exposure, teams }: Treated): ServedList {
  return {
    listId: crypto.randomUUID(),
    userId: asked.userId,
    modelVersion: model.modelVersion,
    arm: exposure?.arm ?? otherwise,
    experiment: exposure?.experiment ?? null,
    teams,
    firstPosition: asked.seen.length,
    videoIds: items.map(({ video }) => video.id),
    scores: items.map(({ score }) => score),
    sources: items.map(({ source }) => source),
    propensities: items.map(({ propensity }) => propensity),
  };
}
