/** From candidates to a list: scores shared with Python, diversity, exploration and pages. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { listOf } from "../../infra/supabase/functions/ai-recommend-v5/list.ts";
import { diversified, type Scored } from "../../infra/supabase/functions/_shared/diversity.ts";
import { Json } from "../../infra/supabase/functions/_shared/documents.ts";
import { explored } from "../../infra/supabase/functions/_shared/explore.ts";
import { parseMoment } from "../../infra/supabase/functions/_shared/moments.ts";
import { MOST_SEEN, readPage, writePage } from "../../infra/supabase/functions/_shared/page.ts";
import { DEFAULT_RERANK, readRerank } from "../../infra/supabase/functions/_shared/rerank_settings.ts";
import { type Priced, scoreOf } from "../../infra/supabase/functions/_shared/score.ts";
import { video, videoId } from "./memory_data.ts";
import { jsonOf, seeded } from "./testing.ts";

interface ScoreVector {
  readonly now: string;
  readonly similarity: number;
  readonly video: Priced;
  readonly rerank: unknown;
  readonly score: number;
}

Deno.test("scores are those that Python's evaluation re-ranks by", () => {
  const vectors = jsonOf("scores.json") as ScoreVector[];
  let largest = 0;
  for (const vector of vectors) {
    const settings = readRerank(new Json(vector.rerank, "rerank"));
    const score = scoreOf(vector.similarity, vector.video, parseMoment(vector.now) ?? NaN, settings);
    const distance = Math.abs(score - vector.score);
    ok(distance <= 1e-12, JSON.stringify({ ...vector, got: score }));
    largest = Math.max(largest, distance);
  }
  strictEqual(vectors.length, 3 * 8 * 9 * 3);
  console.log(`${vectors.length} scores, largest difference ${largest}`);
});

const NOW = parseMoment("2026-03-01T00:00:00Z") ?? 0;

Deno.test("the contract's default score by hand: released now, in 120 days' time past, later; free, cheap, dear", () => {
  const at = (product_released_at: string | null, price: number | null) =>
    Number(scoreOf(0.8, { product_released_at, price }, NOW, DEFAULT_RERANK).toFixed(9));
  strictEqual(at(null, null), 0.6);
  strictEqual(at("2026-03-01T00:00:00Z", null), 0.9);
  strictEqual(at("2025-11-01T00:00:00Z", null), Number((0.6 + 0.3 / Math.E).toFixed(9)));
  strictEqual(at("2026-03-02T00:00:00Z", null), 0.7);
  deepStrictEqual([0, 799, 800, 4000, 4001].map((price) => at(null, price)), [0.62, 0.63, 0.6, 0.6, 0.55]);
});

type Toy = { readonly name: string; readonly maker: string | null; readonly tags: readonly string[] };

function toy(name: string, score: number, maker: string | null, ...tags: string[]): Scored<Toy> {
  return { video: { name, maker, tags }, score };
}

const names = (list: readonly Scored<Toy>[]) => list.map(({ video }) => video.name).join("");

Deno.test("with lambda 1 the list is sorted by score, and equals keep their order", () => {
  const toys = [toy("a", 1, "m"), toy("b", 3, "m"), toy("c", 2, "m"), toy("d", 2, "m")];
  strictEqual(names(diversified(toys, 3, 1)), "bcd");
});

Deno.test("another maker and other tags win where the score is near enough, by hand", () => {
  // Relevance is 1, 0.9, 0.8, 0; a and b share maker and tag (likeness 1), a and c one tag of three (1/6).
  const toys = [
    toy("a", 1, "m", "x", "y"),
    toy("b", 0.9, "m", "x", "y"),
    toy("c", 0.8, "n", "x", "z"),
    toy("d", 0, null),
  ];
  // 0.85: b 0.765 − 0.15, c 0.68 − 0.15 · 1/6. 0.9: b 0.81 − 0.1, c 0.72 − 0.1 · 1/6.
  strictEqual(names(diversified(toys, 4, 0.85)), "acbd");
  strictEqual(names(diversified(toys, 4, 0.9)), "abcd");
  // λ = 0 asks for nothing but difference: after a, what is least like it.
  strictEqual(names(diversified(toys, 2, 0)), "ad");
  strictEqual(names(diversified(toys, 2, 0.85)), "ac");
});

Deno.test("videos without a maker are not of one maker, nor those without tags alike", () => {
  const toys = [toy("a", 1, null), toy("b", 0.9, null), toy("c", 0.899, "m", "x")];
  strictEqual(names(diversified(toys, 3, 0.5)), "abc");
});

Deno.test("none, one and equal scores make lists too", () => {
  strictEqual(names(diversified([], 3, 0.9)), "");
  strictEqual(names(diversified([toy("a", 5, "m")], 3, 0.9)), "a");
  strictEqual(names(diversified([toy("a", 2, "m"), toy("b", 2, "m"), toy("c", 2, "n")], 3, 0.5)), "acb");
});

Deno.test("exploration: each list is a chosen prefix with others set in, and every chance is what it is said to be", () => {
  const [chosen, others, share] = [["a", "b"], ["x", "y"], 0.25];
  const seen = new Map<string, number>();
  const chance = new Map<string, number>();
  const random = seeded(3);
  const runs = 40_000;
  for (let run = 0; run < runs; run++) {
    const list = explored(chosen, others, share, random);
    const key = list.map(({ item }) => item).join("");
    seen.set(key, (seen.get(key) ?? 0) + 1);
    chance.set(key, list.reduce((product, { propensity }) => product * propensity, 1));
    deepStrictEqual(list.map(({ explored }) => explored), [...key].map((item) => others.includes(item)));
  }
  // First place: a 0.75, x and y 0.125 each; then b 0.75 (a where it still waits), what is left of x and y the rest.
  deepStrictEqual(Object.fromEntries([...chance].toSorted()), {
    ab: 0.75 * 0.75,
    ax: 0.75 * 0.125,
    ay: 0.75 * 0.125,
    xa: 0.125 * 0.75,
    xy: 0.125 * 0.25,
    ya: 0.125 * 0.75,
    yx: 0.125 * 0.25,
  });
  for (const [key, probability] of chance) {
    ok(Math.abs((seen.get(key) ?? 0) / runs - probability) < 0.01, key);
  }
});

Deno.test("without a share, or without others, nothing is explored and all is certain", () => {
  for (const list of [explored(["a"], ["x"], 0, () => 0), explored(["a"], [], 0.5, () => 0)]) {
    deepStrictEqual(list, [{ item: "a", explored: false, propensity: 1 }]);
  }
});

const LIST = { rerank: DEFAULT_RERANK, diversityLambda: 1, exploreShare: 0, random: () => 0.5 };

Deno.test("what the model finds is sorted by score, the popular by how popular they are", () => {
  const candidates = [
    video(0, { distance: 0.1, popularity: null }),
    video(1, { distance: 0.2, popularity: null, product_released_at: "2026-02-28T00:00:00Z" }),
    video(2, { distance: 0.3, popularity: null }),
  ];
  const model = listOf(candidates, false, 2, NOW, LIST);
  deepStrictEqual(model.map(({ video, source, similarity }) => [video.id, source, similarity]), [
    [videoId(1), "model", 0.8],
    [videoId(0), "model", 0.9],
  ]);
  const popular = listOf(
    [video(5, { distance: null, popularity: 0.5 }), video(4, { popularity: 7 })],
    true,
    2,
    NOW,
    LIST,
  );
  deepStrictEqual(popular.map(({ video, source, similarity, score }) => [video.id, source, similarity, score]), [
    [videoId(4), "popular", 0.996, 7],
    [videoId(5), "popular", null, 0.5],
  ]);
});

Deno.test("an explored video comes from beyond the list and is marked", () => {
  const candidates = Array.from({ length: 6 }, (_, number) => video(number, { popularity: null }));
  const draws = [0.01, 0.6, 0.9];
  const list = listOf(candidates, false, 2, NOW, { ...LIST, exploreShare: 0.1, random: () => draws.shift() ?? 0 });
  deepStrictEqual(list.map(({ video, source, propensity }) => [video.id, source, propensity]), [
    [videoId(4), "explore", 0.1 / 4],
    [videoId(0), "model", 0.9],
  ]);
});

Deno.test("a page remembers what was seen, the newest when it is too much, and any other text is refused", () => {
  const seen = Array.from({ length: MOST_SEEN + 5 }, (_, number) => videoId(number));
  for (const size of [0, 1, 2, 3, 40, MOST_SEEN]) {
    deepStrictEqual(readPage(writePage(seen.slice(0, size))), seen.slice(0, size));
  }
  deepStrictEqual(readPage(writePage(seen)), seen.slice(5));
  const good = writePage(seen.slice(0, 2));
  for (const bad of ["", "x", "é", good.slice(1), good.slice(0, -4), `${good}AAAA`, "A".repeat(30_000), "Ag", "{}"]) {
    strictEqual(readPage(bad), null, bad.slice(0, 40));
  }
});
