/** From candidates to the list that is shown: scored, diversified, and a few places given away. */

import type { Candidate, Source } from "../_shared/data.ts";
import { diversified, type Scored } from "../_shared/diversity.ts";
import { explored, type Placed } from "../_shared/explore.ts";
import type { RerankSettings } from "../_shared/rerank_settings.ts";
import { scoreOf } from "../_shared/score.ts";

export interface ListSettings {
  readonly rerank: RerankSettings;
  readonly diversityLambda: number;
  readonly exploreShare: number;
  readonly random: () => number;
}

/** One place of the list. */
export interface Item {
  readonly video: Candidate;
  /** 1 − cosine distance; null where the version has no vector of the video. */
  readonly similarity: number | null;
  readonly score: number;
  readonly source: Source;
  readonly propensity: number;
}

/**
 * @param popular whether the candidates are what everybody likes; their score is how much
 * @param now microseconds since 1970
 */
export function listOf(
  candidates: readonly Candidate[],
  popular: boolean,
  limit: number,
  now: number,
  settings: ListSettings,
): Item[] {
  const scored = candidates.map((video): Scored<Candidate> => ({
    video,
    score: popular ? video.popularity ?? 0 : scoreOf(similarityOf(video) ?? 0, video, now, settings.rerank),
  }));
  const chosen = diversified(scored, limit, settings.diversityLambda);
  const shown = new Set(chosen.map(({ video }) => video.id));
  const others = scored.filter(({ video }) => !shown.has(video.id));
  return explored(chosen, others, settings.exploreShare, settings.random).map((placed) => itemOf(placed, popular));
}

function itemOf({ item, explored, propensity }: Placed<Scored<Candidate>>, popular: boolean): Item {
  return {
    video: item.video,
    similarity: similarityOf(item.video),
    score: item.score,
    source: explored ? "explore" : popular ? "popular" : "model",
    propensity,
  };
}

function similarityOf(video: Candidate): number | null {
  return video.distance === null ? null : 1 - video.distance;
}
