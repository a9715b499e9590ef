/** How candidates become a list: a deployment's and a release's settings, and what an experiment's arm has otherwise. */

import type { Json } from "./documents.ts";
import { ReleaseError } from "./release_error.ts";
import { readRerankChanges, type RerankSettings } from "./rerank_settings.ts";

export interface RankingSettings {
  /** Fewest candidates that a list is chosen from; half as many again as are shown, if that is more. */
  readonly candidates: number;
  /** 1 sorts by score alone, less gives way to other makers and tags. */
  readonly diversityLambda: number;
  /** Chance of each place to show one of the candidates that would not have been shown. */
  readonly exploreShare: number;
  readonly rerank: RerankSettings;
}

/** What an arm changes. */
export type RankingChanges = Partial<Omit<RankingSettings, "rerank">> & { readonly rerank: Partial<RerankSettings> };

export const NO_CHANGES: RankingChanges = { rerank: {} };

const RANGES = {
  candidates: ["candidates", 1, 500],
  diversity_lambda: ["diversityLambda", 0, 1],
  explore_share: ["exploreShare", 0, 0.5],
} as const;

/** Read an arm's column `ranking`; raises ReleaseError where a name is unknown or a value is out of its range. */
export function readRanking(json: Json): RankingChanges {
  const changes: Partial<Record<keyof RankingSettings, number>> = {};
  for (const [name, value] of json.entries()) {
    if (name === "rerank") continue;
    const range = Object.entries(RANGES).find(([known]) => known === name)?.[1];
    if (range === undefined) throw new ReleaseError(`${value.where} is no setting of the list`);
    const [key, least, most] = range;
    const number = value.number();
    if (number < least || number > most) throw new ReleaseError(`${value.where} is not from ${least} to ${most}`);
    changes[key] = number;
  }
  const rerank = json.get("rerank");
  return { ...changes, rerank: rerank.absent ? {} : readRerankChanges(rerank) };
}

export function withChanges(settings: RankingSettings, changes: RankingChanges): RankingSettings {
  return { ...settings, ...changes, rerank: { ...settings.rerank, ...changes.rerank } };
}
