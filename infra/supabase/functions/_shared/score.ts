/** The score that lists are sorted by: similarity, and how new and how dear a video is. */

import { MICROSECONDS_A_DAY, parseMoment } from "./moments.ts";
import type { RerankSettings } from "./rerank_settings.ts";

/** What of a video counts beside its similarity. */
export interface Priced {
  readonly product_released_at: string | null;
  readonly price: number | null;
}

/**
 * similarityWeight · similarity + strength · (recency term + price term)
 * @param now microseconds since 1970
 */
export function scoreOf(similarity: number, video: Priced, now: number, settings: RerankSettings): number {
  const terms = recencyTerm(video.product_released_at, now, settings) + priceTerm(video.price, settings);
  return settings.similarityWeight * similarity + settings.strength * terms;
}

/** 0.3 · e^(−days / 120), at most 0.3; 0.1 for a later release, 0 without a date. */
function recencyTerm(releasedAt: string | null, now: number, settings: RerankSettings): number {
  const released = releasedAt === null ? null : parseMoment(releasedAt);
  if (released === null) return 0;
  if (released > now) return settings.futureRelease;
  const days = (now - released) / MICROSECONDS_A_DAY;
  return Math.min(settings.recencyWeight, settings.recencyWeight * Math.exp(-days / settings.recencyDays));
}

function priceTerm(price: number | null, settings: RerankSettings): number {
  if (price === null) return 0;
  if (price <= 0) return settings.free;
  if (price < settings.cheapBelow) return settings.cheap;
  return price > settings.dearAbove ? settings.dear : 0;
}
