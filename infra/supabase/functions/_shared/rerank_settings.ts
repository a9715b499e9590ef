/** The weights of the score, as a release carries them in `model_meta.json` under `serving.rerank`. */

import type { Json } from "./documents.ts";

export interface RerankSettings {
  readonly similarityWeight: number;
  readonly recencyWeight: number;
  readonly recencyDays: number;
  readonly futureRelease: number;
  readonly free: number;
  readonly cheap: number;
  readonly cheapBelow: number;
  readonly dear: number;
  readonly dearAbove: number;
  /** Share of the recency and price terms that counts. */
  readonly strength: number;
}

/** The contract's; what holds for a release that says nothing. */
export const DEFAULT_RERANK: RerankSettings = {
  similarityWeight: 0.75,
  recencyWeight: 0.3,
  recencyDays: 120,
  futureRelease: 0.1,
  free: 0.02,
  cheap: 0.03,
  cheapBelow: 800,
  dear: -0.05,
  dearAbove: 4000,
  strength: 1,
};

const KEYS: Readonly<Record<keyof RerankSettings, string>> = {
  similarityWeight: "similarity_weight",
  recencyWeight: "recency_weight",
  recencyDays: "recency_days",
  futureRelease: "future_release",
  free: "free",
  cheap: "cheap",
  cheapBelow: "cheap_below",
  dear: "dear",
  dearAbove: "dear_above",
  strength: "strength",
};

/** Read them; a value that a release does not name is the contract's. */
export function readRerank(json: Json): RerankSettings {
  return { ...DEFAULT_RERANK, ...readRerankChanges(json) };
}

/** Read those that are named. */
export function readRerankChanges(json: Json): Partial<RerankSettings> {
  const named = Object.entries(KEYS).filter(([, key]) => !json.get(key).absent);
  return Object.fromEntries(named.map(([name, key]) => [name, json.get(key).number()]));
}
