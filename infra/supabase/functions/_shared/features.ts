/** A payload to `user_features`, segment by segment as the version's `feature_schema.json` lays them. */

import type { FeatureSchema, Scale, Segment } from "./documents.ts";
import { MICROSECONDS_A_DAY } from "./moments.ts";
import type { UserPayload } from "./payload.ts";
import { ReleaseError } from "./release_error.ts";

const LAST_HOUR = 23;
const HOUR_WITHOUT_LIKES = 12;
const RATIO_WITHOUT_DECISIONS = 0.5;

/** Payload key and vocabulary file of the segments that do not name theirs. */
const BASE_SEGMENTS: ReadonlyMap<string, readonly [source: string, vocabulary: string]> = new Map([
  ["tag_vector", ["tags", "vocab_tag.json"]],
  ["actress_vector", ["performers", "vocab_actress.json"]],
]);
const SOURCES: ReadonlySet<string> = new Set(["tags", "performers", "liked_video_ids", "noped_video_ids"]);

/** Writes one segment of a vector. */
type Writer = (payload: UserPayload, asOf: number, out: Float32Array) => void;

/** The file of a bag's vocabulary. */
export function vocabularyFile(segment: Segment): string {
  const file = segment.vocabulary ?? BASE_SEGMENTS.get(segment.name)?.[1];
  if (file === undefined) throw new ReleaseError(`Segment ${segment.name} names no vocabulary`);
  return file;
}

/** How a version's vectors are built. */
export class FeatureBuilder {
  readonly #writers: readonly Writer[];

  /**
   * @param schema the version's layout
   * @param scales of the numerics by name
   * @param vocabularies tokens by file
   */
  constructor(
    readonly schema: FeatureSchema,
    scales: ReadonlyMap<string, Scale>,
    vocabularies: ReadonlyMap<string, readonly string[]>,
  ) {
    let start = 0;
    this.#writers = schema.segments.map((segment) => {
      const writer = writerOf(segment, start, scales, vocabularies);
      start += segment.size;
      return writer;
    });
  }

  /**
   * `user_features`, float32 [input_dim]; a value beyond single precision becomes infinite.
   * @param asOf microseconds since 1970
   */
  build(payload: UserPayload, asOf: number): Float32Array {
    const features = new Float32Array(this.schema.inputDim);
    for (const write of this.#writers) write(payload, asOf, features);
    return features;
  }

  /** How many different names of a payload's list the segment of that name knows. */
  matches(features: Float32Array, segmentName: string): number {
    let start = 0;
    for (const segment of this.schema.segments) {
      if (segment.name === segmentName) {
        return features.subarray(start, start + segment.size).reduce((sum, value) => sum + Number(value !== 0), 0);
      }
      start += segment.size;
    }
    return 0;
  }
}

function writerOf(
  segment: Segment,
  start: number,
  scales: ReadonlyMap<string, Scale>,
  vocabularies: ReadonlyMap<string, readonly string[]>,
): Writer {
  if (segment.type === "standard_score") return numericsWriter(segment, start, scales);
  if (segment.type === "scaled_bucket" && segment.name === "hour_of_day" && segment.size === 1) {
    return (payload, _asOf, out) => {
      out[start] = hourOfDay(payload);
    };
  }
  if (segment.type === "l2_normalized_bow") return bagWriter(segment, start, vocabularies);
  throw new ReleaseError(`Segment ${segment.name} of type ${segment.type} is unknown to these functions`);
}

function numericsWriter(segment: Segment, start: number, scales: ReadonlyMap<string, Scale>): Writer {
  const columns = segment.features.map((name) => {
    const [value, scale] = [NUMERICS.get(name), scales.get(name)];
    if (value === undefined || scale === undefined) throw new ReleaseError(`The numeric ${name} is unknown`);
    return { value, mean: scale.mean, std: scale.std || 1 };
  });
  if (columns.length !== segment.size) throw new ReleaseError(`Segment ${segment.name} does not name its features`);
  return (payload, asOf, out) => {
    columns.forEach(({ value, mean, std }, place) => {
      out[start + place] = (value(payload, asOf) - mean) / std;
    });
  };
}

function bagWriter(segment: Segment, start: number, vocabularies: ReadonlyMap<string, readonly string[]>): Writer {
  const source = segment.source ?? BASE_SEGMENTS.get(segment.name)?.[0];
  const tokens = vocabularies.get(vocabularyFile(segment));
  if (source === undefined || !SOURCES.has(source)) {
    throw new ReleaseError(`Segment ${segment.name} reads a part of the payload that is unknown here`);
  }
  if (tokens?.length !== segment.size) {
    throw new ReleaseError(
      `Segment ${segment.name} has ${segment.size} features and ${tokens?.length ?? "no"} names`,
    );
  }
  const places = new Map(tokens.map((token, place) => [token, place]));
  return (payload, _asOf, out) => {
    const counts = new Map<number, number>();
    for (const name of payload.names.get(source) ?? []) {
      const place = places.get(name);
      if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    const norm = Math.sqrt(counts.values().reduce((sum, count) => sum + count * count, 0));
    for (const [place, count] of counts) out[start + place] = count / norm;
  };
}

type Numeric = (payload: UserPayload, asOf: number) => number;

/** Raw user numerics by name. */
const NUMERICS: ReadonlyMap<string, Numeric> = new Map<string, Numeric>([
  ["account_age_days", (payload, asOf) => daysSince(payload.createdAt, asOf)],
  ["mean_price", (payload) => payload.meanPrice ?? 0],
  ["median_price", (payload) => payload.medianPrice ?? 0],
  ["like_ratio", likeRatio],
  ["like_count", (payload) => payload.likeCount],
  ["nope_count", (payload) => payload.nopeCount],
  ["decision_count", (payload) => payload.decisionCount],
  ["recent_like_days", (payload, asOf) => daysSince(payload.recentLikeAt, asOf)],
]);

function likeRatio(payload: UserPayload): number {
  if (payload.decisionCount === 0) return RATIO_WITHOUT_DECISIONS;
  return Math.min(Math.max(payload.likeCount / payload.decisionCount, 0), 1);
}

function daysSince(moment: number | null, asOf: number): number {
  return moment === null ? 0 : (asOf - moment) / MICROSECONDS_A_DAY;
}

function hourOfDay(payload: UserPayload): number {
  const hour = payload.likeCount === 0 ? HOUR_WITHOUT_LIKES : payload.averageLikeHour ?? HOUR_WITHOUT_LIKES;
  return Math.min(Math.max(hour, 0), LAST_HOUR) / LAST_HOUR;
}
