import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { FeatureSchema, Segment } from "../../infra/supabase/functions/_shared/documents.ts";
import { FeatureBuilder } from "../../infra/supabase/functions/_shared/features.ts";
import { parseMoment } from "../../infra/supabase/functions/_shared/moments.ts";
import { parsePayload } from "../../infra/supabase/functions/_shared/payload.ts";

const USER = "00000000-0000-4000-8000-000000000001";
const MICROSECONDS_A_DAY = 86_400_000_000;

Deno.test("times are read to the microsecond, with any offset; without one they are UTC", () => {
  const moment = Date.UTC(2026, 2, 1, 12, 30, 5) * 1000 + 123_456;
  for (
    const text of [
      "2026-03-01T12:30:05.123456+00:00",
      "2026-03-01T12:30:05.123456Z",
      "2026-03-01 12:30:05.123456",
      "2026-03-01T21:30:05.123456+09:00",
      "2026-03-01T08:15:05.123456-0415",
    ]
  ) {
    strictEqual(parseMoment(text), moment, text);
  }
  strictEqual(parseMoment("2026-03-01T12:30Z"), Date.UTC(2026, 2, 1, 12, 30) * 1000);
  strictEqual(parseMoment("2026-03-01T12:30:05.1Z"), Date.UTC(2026, 2, 1, 12, 30, 5) * 1000 + 100_000);
  strictEqual(parseMoment("0001-01-01T00:00:00Z"), -62_135_596_800_000_000);
  strictEqual(parseMoment("2024-02-29T00:00:00Z"), Date.UTC(2024, 1, 29) * 1000);
});

Deno.test("what is no time of the calendar is none", () => {
  for (
    const text of [
      "",
      "yesterday",
      "2026-03-01",
      "2026-02-29T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-03-00T00:00:00Z",
      "2026-03-01T24:00:00Z",
      "2026-03-01T00:60:00Z",
      "2026-03-01T00:00:60Z",
      "2026-03-01T00:00:00+24:00",
      "0000-01-01T00:00:00Z",
      "12026-03-01T00:00:00Z",
      "0044-03-15T00:00:00+00:00 BC",
      "infinity",
      "1772368200",
    ]
  ) {
    strictEqual(parseMoment(text), null, text);
  }
});

Deno.test("a payload with nothing but its user has the contract's defaults", () => {
  const { names, ...rest } = parsePayload({ user_id: USER, unknown: 1 });
  deepStrictEqual(rest, {
    createdAt: null,
    likeCount: 0,
    nopeCount: 0,
    decisionCount: 0,
    recentLikeAt: null,
    averageLikeHour: 12,
    meanPrice: null,
    medianPrice: null,
  });
  deepStrictEqual([...names.values()], [[], [], [], []]);
});

const WRONG: Record<string, unknown> = {
  "no object": [],
  "no user": {},
  "a profile that is null": { user_id: USER, profile: null },
  "a count that is a text": { user_id: USER, decision_stats: { like_count: "3" } },
  "a count that is no whole number": { user_id: USER, decision_stats: { like_count: 1.5 } },
  "a count that is null": { user_id: USER, decision_stats: { like_count: null } },
  "an hour that is a text": { user_id: USER, decision_stats: { average_like_hour: "12" } },
  "a time that is a number": { user_id: USER, profile: { created_at: 1 } },
  "tags that are null": { user_id: USER, tags: null },
  "tags that are numbers": { user_id: USER, tags: [1] },
  "more ids than the contract allows": { user_id: USER, liked_video_ids: new Array(1001).fill("x") },
};

for (const [name, payload] of Object.entries(WRONG)) {
  Deno.test(`${name} is refused`, () => {
    throws(() => parsePayload(payload), { name: "PayloadError" });
  });
}

const SCHEMA: FeatureSchema = {
  inputDim: 10,
  embeddingDim: 256,
  segments: [
    segment("numeric", 3, "standard_score", { features: ["like_ratio", "recent_like_days", "mean_price"] }),
    segment("hour_of_day", 1, "scaled_bucket"),
    segment("tag_vector", 3, "l2_normalized_bow"),
    segment("actress_vector", 1, "l2_normalized_bow"),
    segment("noped_video_vector", 2, "l2_normalized_bow", {
      source: "noped_video_ids",
      vocabulary: "vocab_video.json",
    }),
  ],
};

function segment(
  name: string,
  size: number,
  type: string,
  more: { features?: string[]; source?: string; vocabulary?: string } = {},
): Segment {
  return { name, size, type, features: [], source: null, vocabulary: null, ...more };
}

const BUILDER = new FeatureBuilder(
  SCHEMA,
  new Map([["like_ratio", { mean: 0.5, std: 0.25 }], ["recent_like_days", { mean: 1, std: 0 }], ["mean_price", {
    mean: 0,
    std: 2,
  }]]),
  new Map([["vocab_tag.json", ["__proto__", "b", "c"]], ["vocab_actress.json", ["p"]], ["vocab_video.json", [
    "v1",
    "v2",
  ]]]),
);

Deno.test("a vector by hand: scores, an hour, bags of names that are never keys of an object, optional segments", () => {
  const asOf = 20_000 * MICROSECONDS_A_DAY;
  const payload = parsePayload({
    user_id: USER,
    decision_stats: {
      like_count: 3,
      decision_count: 4,
      recent_like_at: "2024-10-03T12:00:00Z",
      average_like_hour: 24.5,
    },
    price_stats: { mean: 5 },
    tags: ["__proto__", "c", "c", "c", "constructor", "C"],
    performers: ["P"],
    noped_video_ids: ["v2", "v2", "v3"],
  });
  // 20 000 days after 1970 is 2024-10-04: the last LIKE is half a day old.
  const features = BUILDER.build(payload, asOf);
  const root = Math.fround(1 / Math.sqrt(10));
  deepStrictEqual([...features], [1, -0.5, 2.5, 1, root, 0, Math.fround(3 / Math.sqrt(10)), 0, 0, 1]);
  deepStrictEqual([BUILDER.matches(features, "tag_vector"), BUILDER.matches(features, "actress_vector")], [2, 0]);
});

Deno.test("without decisions the ratio is a half, the hour 12, and bags are zeros", () => {
  deepStrictEqual(
    [...BUILDER.build(parsePayload({ user_id: USER, decision_stats: { average_like_hour: 3 } }), 0)],
    [0, -1, 0, Math.fround(12 / 23), 0, 0, 0, 0, 0, 0],
  );
});

Deno.test("a layout that these functions cannot build is refused when it is read", () => {
  const build = (changed: ReturnType<typeof segment>) =>
    new FeatureBuilder({ ...SCHEMA, segments: [changed] }, new Map(), new Map([["v.json", ["a", "b"]]]));
  for (
    const changed of [
      segment("numeric", 1, "standard_score", { features: ["shoe_size"] }),
      segment("numeric", 1, "standard_score"),
      segment("hour_of_day", 2, "scaled_bucket"),
      segment("hour_of_week", 1, "scaled_bucket"),
      segment("other_vector", 2, "l2_normalized_bow", { source: "tags" }),
      segment("other_vector", 2, "l2_normalized_bow", { source: "shoes", vocabulary: "v.json" }),
      segment("other_vector", 3, "l2_normalized_bow", { source: "tags", vocabulary: "v.json" }),
      segment("other_vector", 2, "l2_normalized_bow", { vocabulary: "v.json" }),
    ]
  ) {
    throws(() => build(changed), { name: "ReleaseError" }, changed.name);
  }
});
