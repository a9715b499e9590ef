import { deepStrictEqual, notStrictEqual, ok, strictEqual } from "node:assert/strict";
import { DatabaseError } from "../../infra/supabase/functions/_shared/postgrest.ts";
import { video, videoId } from "./memory_data.ts";
import { CONTENT, HYBRID, NEWER, refused } from "./testing.ts";
import { A, B, type Body, World } from "./world.ts";

const NAME = "ai-recommend-v5";

const ids = (body: Body): string[] => body.items.map((item: Body) => item.video.id);
const videos = (...numbers: number[]) => numbers.map(videoId);

async function opened(more: ConstructorParameters<typeof World>[0] = {}): Promise<World> {
  const world = new World(more);
  await world.release(CONTENT);
  world.fill(30);
  return world;
}

Deno.test("an answer has the contract's keys, the nearest first, and costs two calls, then one", async () => {
  await using world = await opened();
  world.decide(A, 3);
  const first = await world.answer(NAME, { user_id: A, limit: 3 });
  deepStrictEqual(
    { ...first, items: first.items[0], listId: typeof first.listId, nextPage: typeof first.nextPage },
    {
      userId: A,
      embeddingSource: "fresh",
      embeddingSummary: { likeCount: 1, nopeCount: 0, decisionCount: 1, tagMatchCount: 0, actressMatchCount: 0 },
      modelVersion: CONTENT,
      items: {
        video: {
          id: videoId(0),
          title: "Video 0",
          description: null,
          external_id: "x0",
          thumbnail_url: null,
          product_released_at: null,
          price: null,
          safety_level: 0,
          region_codes: [],
          tags: [],
          performers: [],
          maker: null,
        },
        similarity: 1,
        distance: 0,
        score: 0.75,
        source: "model",
      },
      listId: "string",
      nextPage: "string",
    },
  );
  deepStrictEqual(ids(first), videos(0, 1, 2));
  const second = await world.answer(NAME, { user_id: A, limit: 3 });
  deepStrictEqual([second.embeddingSource, second.embeddingSummary, ids(second)], ["cache", null, ids(first)]);
  await world.quiet();
  deepStrictEqual(
    world.data.calls.filter((call) => call !== "registered"),
    ["candidates", "candidates", "logServedLists", "candidates", "logServedLists"],
  );
});

Deno.test("a decision makes the vector stale, and what was decided on never comes back", async () => {
  await using world = await opened();
  world.decide(A, 3);
  await world.answer(NAME, { user_id: A });
  world.decide(A, 0, false);
  const after = await world.answer(NAME, { user_id: A });
  strictEqual(after.embeddingSource, "fresh");
  ok(!ids(after).includes(videoId(0)) && !ids(after).includes(videoId(3)));
  world.decide(B, 1);
  strictEqual((await world.answer(NAME, { user_id: A })).embeddingSource, "cache");
});

Deno.test("a refresh computes anew, and users have to be sparing with it", async () => {
  await using world = await opened();
  const body = { user_id: A, refresh_user_embedding: true };
  const user = await world.asUser(A);
  for (let call = 0; call < 2; call++) {
    strictEqual((await world.answer(NAME, body, user)).embeddingSource, "fresh");
  }
  await refused(await world.post(NAME, body, user), 429, "rate_limited");
  strictEqual((await world.answer(NAME, { user_id: A }, user)).embeddingSource, "cache");
});

Deno.test("what a request excludes, and what is unreleased, unsafe or of other regions, stays away", async () => {
  await using world = await opened();
  world.data.videos = [
    video(0, { product_released_at: world.data.time(1e6) }),
    video(1, { safety_level: 2 }),
    video(2, { region_codes: ["US"] }),
    video(3),
    video(4),
    video(5, { region_codes: ["JP", "US"] }),
  ];
  world.decide(A, 9);
  deepStrictEqual(ids(await world.answer(NAME, { user_id: A })), videos(2, 3, 4, 5));
  const asked = {
    user_id: A,
    maxSafetyLevel: 2,
    allowedRegions: ["JP"],
    excludeVideoIds: [videoId(3).toUpperCase()],
  };
  deepStrictEqual(ids(await world.answer(NAME, asked)), videos(1, 4, 5));
});

Deno.test("a user without likes gets what is popular, marked so, and popularity is counted again after the answer", async () => {
  await using world = await opened();
  world.data.videos = [
    video(0, { popularity: 1 }),
    video(1, { popularity: 9 }),
    video(2, { popularity: 0, distance: null }),
  ];
  world.decide(A, 7, false);
  const body = await world.answer(NAME, { user_id: A });
  deepStrictEqual(
    body.items.map((item: Body) => [item.video.id, item.source, item.score, item.similarity]),
    [[videoId(1), "popular", 9, 0.999], [videoId(0), "popular", 1, 1], [videoId(2), "popular", 0, null]],
  );
  strictEqual(body.embeddingSource, "fresh");
  strictEqual(body.items[0].video.popularity, undefined);
  await world.answer(NAME, { user_id: A });
  await world.quiet();
  deepStrictEqual(world.data.popularityCounts, [30]);
  world.clock += 60_000;
  await world.answer(NAME, { user_id: B });
  await world.quiet();
  deepStrictEqual(world.data.popularityCounts, [30, 30]);
});

Deno.test("pages go on where the last one ended, to the end, without a video twice", async () => {
  await using world = await opened();
  world.decide(A, 29);
  const seen: string[] = [];
  let page: string | null = null;
  for (let pages = 0; pages < 10; pages++) {
    const body: Body = await world.answer(NAME, { user_id: A, limit: 8, page });
    seen.push(...ids(body));
    page = body.nextPage;
    if (page === null) break;
  }
  deepStrictEqual(seen, videos(...Array.from({ length: 29 }, (_, number) => number)));
  await world.quiet();
  deepStrictEqual(world.data.served.map(({ firstPosition, videoIds }) => [firstPosition, videoIds.length]), [
    [0, 8],
    [8, 8],
    [16, 8],
    [24, 5],
  ]);
  deepStrictEqual(
    ids(await world.answer(NAME, { user_id: A, limit: 2, excludeVideoIds: videos(0, 2) })),
    videos(1, 3),
  );
});

Deno.test("each list is logged once, after the answer, with all that was shown", async () => {
  // Below 0.5 a place is given away, by the draw after.
  const draws = [0.9, 0.1, 0.5];
  let draw = 0;
  await using world = await opened({ exploreShare: 0.5, random: () => draws[draw++ % 3] ?? 0 });
  world.decide(A, 29);
  let release: () => void = () => {};
  world.data.before = (call) => call === "logServedLists" ? new Promise((resolve) => release = resolve) : undefined;
  const body = await world.answer(NAME, { user_id: A, limit: 6 });
  strictEqual(world.data.served.length, 0);
  release();
  await world.quiet();
  const [list] = world.data.served;
  strictEqual(world.data.served.length, 1);
  deepStrictEqual(
    [list?.listId, list?.userId, list?.modelVersion, list?.arm, list?.firstPosition],
    [body.listId, A, CONTENT, "test", 0],
  );
  deepStrictEqual(list?.videoIds, ids(body));
  deepStrictEqual(list?.scores, body.items.map((item: Body) => item.score));
  deepStrictEqual(list?.sources, body.items.map((item: Body) => item.source));
  deepStrictEqual(list?.sources, ["model", "explore", "model", "explore", "model", "explore"]);
  deepStrictEqual(list?.propensities, [0.5, 0.5 / 14, 0.5, 0.5 / 13, 0.5, 0.5 / 12]);
  strictEqual(body.items[0].propensity, undefined);
});

Deno.test("a list that cannot be logged is noted, and the answer stands", async () => {
  await using world = await opened();
  world.data.before = (call) => {
    if (call === "logServedLists") throw new DatabaseError(0, "", "served_lists");
  };
  await world.answer(NAME, { user_id: A });
  await world.quiet();
  deepStrictEqual(world.kept.of("served_list_lost"), [{ status: 0, database_code: "" }]);
});

Deno.test("an empty list is an answer and is not logged", async () => {
  await using world = await opened();
  world.fill(0);
  const body = await world.answer(NAME, { user_id: A });
  deepStrictEqual([body.items, body.nextPage], [[], null]);
  await world.quiet();
  strictEqual(world.data.served.length, 0);
});

Deno.test("makers take turns where scores are near", async () => {
  await using world = await opened({ diversityLambda: 0.7 });
  world.data.videos = [0, 1, 2, 3].map((number) => video(number, { maker: number < 3 ? "m" : "n", tags: ["t"] }));
  world.decide(A, 9);
  strictEqual(ids(await world.answer(NAME, { user_id: A, limit: 2 }))[1], videoId(1));
  world.data.videos = [...world.data.videos, video(900, { maker: "o" })];
  strictEqual(ids(await world.answer(NAME, { user_id: A, limit: 2 }))[1], videoId(3));
});

Deno.test("a flip at any moment of a request gives an answer of one version", async () => {
  await using world = await opened();
  world.decide(A, 20);
  await world.answer(NAME, { user_id: A });
  const versions = [NEWER, HYBRID, CONTENT];
  for (const [at, next] of versions.entries()) {
    // In the search with the stored vector, in the one with the new vector, and before either.
    let calls = 0;
    world.decide(A, 21 + at);
    world.data.before = async (call) => {
      if (call === "candidates" && calls++ === at) await world.release(next);
    };
    const response = await world.post(NAME, { user_id: A });
    const body = await response.json();
    strictEqual(response.status, 200);
    deepStrictEqual([body.modelVersion, response.headers.get("x-model-version")], [
      world.data.live?.modelVersion,
      body.modelVersion,
    ]);
    ok(world.data.vectors.has(`${body.modelVersion} ${A}`));
  }
});

Deno.test("while callers ask all the time, flips to and fro never make an error nor a mixture", async () => {
  await using world = await opened();
  world.decide(A, 20);
  let done = false;
  const seen = new Set<string>();
  const flipping = (async () => {
    for (let flip = 0; flip < 12; flip++) {
      const version = [NEWER, HYBRID, CONTENT][flip % 3] ?? CONTENT;
      seen.delete(version);
      await world.release(version);
      while (!seen.has(version)) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    done = true;
  })();
  let answers = 0;
  while (!done) {
    const bodies = await Promise.all(
      Array.from({ length: 8 }, () => world.answer(NAME, { user_id: A, refresh_user_embedding: true })),
    );
    for (const body of bodies) seen.add(body.modelVersion);
    answers += bodies.length;
  }
  await flipping;
  ok(answers >= 12, `${answers}`);
  await world.quiet();
  strictEqual(world.data.served.length, answers);
});

Deno.test("a tampered release: the last good one goes on with its own videos, and the answer says so", async () => {
  await using world = await opened();
  world.decide(A, 20);
  await world.answer(NAME, { user_id: A });
  world.artifacts.faults.set(`${NEWER}/vocab_tag.json`, (bytes) => new Response(bytes.slice().fill(88, 20, 21)));
  await world.release(NEWER);
  for (let call = 0; call < 3; call++) {
    const response = await world.post(NAME, { user_id: A });
    const body = await response.json();
    deepStrictEqual([body.modelVersion, response.headers.get("x-refused-version")], [CONTENT, NEWER]);
    ok(body.items.length > 0);
  }
  strictEqual(world.kept.of("release_refused").length, 1);
  world.artifacts.faults.clear();
  world.clock += 30_000;
  await world.answer(NAME, { user_id: A });
  await world.live.settled();
  const mended = await world.post(NAME, { user_id: A });
  deepStrictEqual([(await mended.json()).modelVersion, mended.headers.get("x-refused-version")], [NEWER, null]);
});

const WRONG: Record<string, [body: Record<string, unknown>, what: string]> = {
  "no user": [{ user_id: undefined }, "user_id is missing"],
  "a limit of 0": [{ limit: 0 }, "limit is not a whole number from 1 to 200"],
  "a limit of 201": [{ limit: 201 }, "limit is not a whole number from 1 to 200"],
  "a tag that is no id": [{ bannedTagIds: ["romance"] }, "bannedTagIds is not a list of at most 1000 UUIDs"],
  "too many excluded": [
    { excludeVideoIds: new Array(1001).fill(A) },
    "excludeVideoIds is not a list of at most 1000 UUIDs",
  ],
  "regions that are numbers": [{ allowedRegions: [81] }, "allowedRegions is not a list"],
  "half a surrogate pair": [{ allowedRegions: ["\ud800"] }, "allowedRegions is not a list"],
  "a safety level beyond the column": [{ maxSafetyLevel: 40_000 }, "maxSafetyLevel is not a whole number"],
  "a page of its own making": [{ page: "abc" }, "page is not what an earlier answer gave"],
  "a refresh that is a text": [{ refresh_user_embedding: "yes" }, "refresh_user_embedding is neither true nor false"],
};

for (const [name, [body, what]] of Object.entries(WRONG)) {
  Deno.test(`${name} is 400 and says what is wrong`, async () => {
    await using world = await opened();
    const text = await refused(await world.post(NAME, { user_id: A, ...body }), 400, "invalid_request");
    ok(text.includes(what), text);
    deepStrictEqual(world.data.calls, []);
  });
}

Deno.test("other users, other methods, large bodies and a database that is away have their statuses", async () => {
  await using world = await opened();
  await refused(await world.post(NAME, { user_id: B }, await world.asUser(A)), 403, "not_your_user");
  await refused(await world.request(NAME), 405, "method_not_allowed");
  await refused(await world.post(NAME, new Uint8Array(10_000_000)), 413, "body_too_large");
  await world.answer(NAME, { user_id: A });
  world.data.before = () => {
    throw new DatabaseError(0, "", "recommend_for_user");
  };
  await refused(await world.post(NAME, { user_id: A }), 503, "database_unavailable");
  world.data.before = () => {};
  notStrictEqual(ids(await world.answer(NAME, { user_id: A })).length, 0);
});

Deno.test("a list is chosen from half as many videos again as it shows, between the set number and 500", async () => {
  await using world = await opened();
  const limits: number[] = [];
  const { candidates } = world.data;
  world.data.candidates = (query) => {
    limits.push(query.limit);
    return candidates.call(world.data, query);
  };
  for (const limit of [1, 13, 15, 200]) await world.answer(NAME, { user_id: A, limit });
  deepStrictEqual([...new Set(limits)], [20, 23, 300]);
});

Deno.test("lists that come while others are written go together into the next insert, each once", async () => {
  await using world = await opened();
  world.decide(A, 29);
  await world.answer(NAME, { user_id: A });
  await world.quiet();
  const batches: number[] = [];
  const { logServedLists } = world.data;
  world.data.logServedLists = async (lists) => {
    batches.push(lists.length);
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (batches.length === 2) throw new DatabaseError(503, "", "served_lists");
    await logServedLists.call(world.data, lists);
  };
  const answers = await Promise.all(Array.from({ length: 30 }, () => world.answer(NAME, { user_id: A })));
  await world.quiet();
  ok(batches.length < 10, batches.join());
  strictEqual(batches.reduce((sum, size) => sum + size, 0), 30);
  strictEqual(world.kept.of("served_list_lost").length, batches[1]);
  const logged = new Set(world.data.served.map(({ listId }) => listId));
  strictEqual(answers.filter(({ listId }) => logged.has(listId)).length, 30 - (batches[1] ?? 0));
});
