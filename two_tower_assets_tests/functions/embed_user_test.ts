import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { DatabaseError } from "../../infra/supabase/functions/_shared/postgrest.ts";
import { CONTENT, HYBRID, NEWER, refused } from "./testing.ts";
import { A, B, SERVER_KEY, World } from "./world.ts";

const NAME = "embed-user";

Deno.test("the first answer is fresh and kept, the next is the same from the cache", async () => {
  await using world = new World();
  await world.release(CONTENT);
  world.fill(5);
  world.decide(A, 1);
  world.decide(A, 2, false);
  const fresh = await world.answer(NAME, { user_id: A });
  deepStrictEqual(
    { ...fresh, embedding: fresh.embedding.length },
    {
      userId: A,
      source: "fresh",
      embedding: 256,
      modelVersion: CONTENT,
      updatedAt: world.data.time(1002),
      summary: { likeCount: 1, nopeCount: 1, decisionCount: 2, tagMatchCount: 0, actressMatchCount: 0 },
    },
  );
  ok(Math.abs(Math.hypot(...fresh.embedding) - 1) < 1e-6);
  const cached = await world.answer(NAME, { user_id: A });
  deepStrictEqual({ ...cached, embedding: cached.embedding.map(Math.fround) }, {
    ...fresh,
    source: "cache",
    embedding: fresh.embedding.map(Math.fround),
  });
  deepStrictEqual(world.data.calls, ["registered", "registered", "userState", "storeUserVector", "userState"]);
});

Deno.test("any newer decision makes the vector stale, whatever was decided", async () => {
  await using world = new World();
  await world.release(CONTENT);
  world.fill(5);
  const before = await world.answer(NAME, { user_id: A });
  world.data.clock += 5;
  strictEqual((await world.answer(NAME, { user_id: A })).source, "cache");
  world.decide(A, 3, false);
  const after = await world.answer(NAME, { user_id: A });
  strictEqual(after.source, "fresh");
  notDeepStrictEqual(after.embedding, before.embedding);
});

Deno.test("tags that the model knows are counted, each once", async () => {
  await using world = new World();
  await world.release(HYBRID);
  world.fill(3);
  world.data.videos = world.data.videos.map((video) => ({ ...video, tags: ["日本語", "tag 5", "no such tag"] }));
  world.decide(A, 0);
  world.decide(A, 1);
  strictEqual((await world.answer(NAME, { user_id: A })).summary.tagMatchCount, 2);
});

Deno.test("force computes anew; a user may do so twice and then has to wait, a server not", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const user = await world.asUser(A);
  const body = { user_id: A, force: true };
  for (let call = 0; call < 2; call++) strictEqual((await world.answer(NAME, body, user)).source, "fresh");
  const late = await world.post(NAME, body, user);
  strictEqual(late.headers.get("retry-after"), "10");
  await refused(late, 429, "rate_limited");
  strictEqual((await world.answer(NAME, { user_id: A }, user)).source, "cache");
  strictEqual((await world.answer(NAME, { user_id: B, force: true }, await world.asUser(B))).source, "fresh");
  for (let call = 0; call < 5; call++) strictEqual((await world.answer(NAME, body)).source, "fresh");
  world.clock += 10_000;
  strictEqual((await world.answer(NAME, body, user)).source, "fresh");
});

Deno.test("GET asks the same", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const get = (query: string) => world.request(`${NAME}${query}`, { headers: { apikey: SERVER_KEY } });
  const first = await (await get(`?user_id=${A}`)).json();
  deepStrictEqual([first.userId, first.source], [A, "fresh"]);
  strictEqual((await (await get(`?user_id=${A}`)).json()).source, "cache");
  strictEqual((await (await get(`?user_id=${A}&force=true`)).json()).source, "fresh");
  ok((await refused(await get(`?user_id=me`), 400, "invalid_request")).includes("user_id"));
  ok((await refused(await get(""), 400, "invalid_request")).includes("user_id is missing"));
  ok((await refused(await get(`?user_id=${A}&force=yes`), 400, "invalid_request")).includes("force"));
});

Deno.test("a signed-in user gets only their own, and nobody else gets anything", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const user = await world.asUser(A);
  strictEqual((await world.answer(NAME, { user_id: A }, user)).userId, A);
  await refused(await world.post(NAME, { user_id: B }, user), 403, "not_your_user");
  await refused(await world.post(NAME, { user_id: A }, {}), 401, "unauthorized");
  await refused(await world.post(NAME, { user_id: A }, { apikey: "sb_publishable_x" }), 401, "unauthorized");
});

Deno.test("who is not let in makes the functions load and ask nothing", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await refused(await world.post(NAME, { user_id: A }, {}), 401, "unauthorized");
  await refused(await world.post(NAME, { user_id: B }, await world.asUser(A)), 403, "not_your_user");
  await refused(await world.post(NAME, "{"), 400, "invalid_json");
  deepStrictEqual([world.data.calls, world.artifacts.asked], [[], []]);
});

Deno.test("methods, paths, bodies: 405, 404, 400 and 413, each with CORS headers and an id", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const headers = { apikey: SERVER_KEY };
  const put = await world.request(NAME, { method: "PUT", headers, body: "{}" });
  strictEqual(put.headers.get("allow"), "GET, POST, OPTIONS");
  strictEqual(put.headers.get("access-control-allow-origin"), "*");
  ok(put.headers.get("x-request-id"));
  await refused(put, 405, "method_not_allowed");
  await refused(await world.request(`${NAME}/more`, { headers }), 404, "not_found");
  await refused(await world.post(NAME, "[]"), 400, "invalid_request");
  await refused(await world.post(NAME, { user_id: A, force: 1 }), 400, "invalid_request");
  await refused(await world.post(NAME, new Uint8Array(10_000_000)), 413, "body_too_large");
  const preflight = await world.request(NAME, { method: "OPTIONS", headers: { origin: "https://a.example" } });
  deepStrictEqual([preflight.status, await preflight.text()], [204, ""]);
  ok(preflight.headers.get("access-control-allow-headers")?.includes("authorization"));
});

Deno.test("a flip in the middle of a request: the answer is all of the new version", async () => {
  await using world = new World();
  await world.release(CONTENT);
  world.decide(A, 1);
  await world.answer(NAME, { user_id: B });
  for (const moment of ["userState", "storeUserVector"]) {
    const next = moment === "userState" ? NEWER : HYBRID;
    world.data.before = async (call) => {
      if (call !== moment) return;
      world.data.before = () => {};
      await world.release(next);
    };
    const response = await world.post(NAME, { user_id: A, force: true });
    const body = await response.json();
    deepStrictEqual([body.modelVersion, response.headers.get("x-model-version")], [next, next]);
    deepStrictEqual(body.embedding.map(Math.fround), [...world.data.vectors.get(`${next} ${A}`)?.embedding ?? []]);
  }
});

Deno.test("versions that change faster than they load are 503 and not a mixture", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.answer(NAME, { user_id: A });
  let flips = 0;
  world.data.before = async (call) => {
    if (call === "userState") await world.release([CONTENT, NEWER][++flips % 2] ?? CONTENT);
  };
  await refused(await world.post(NAME, { user_id: A }), 503, "release_changing");
  strictEqual(flips, 4);
});

Deno.test("a release that is not what it says: the last good one goes on, and the answer says which", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.answer(NAME, { user_id: A });
  world.artifacts.faults.set(`${NEWER}/user_tower.onnx`, (bytes) => new Response(bytes.slice().fill(0, 500, 501)));
  await world.release(NEWER);
  const response = await world.post(NAME, { user_id: B });
  const { modelVersion } = await response.json();
  deepStrictEqual(
    [modelVersion, response.headers.get("x-model-version"), response.headers.get("x-refused-version")],
    [CONTENT, CONTENT, NEWER],
  );
  strictEqual(world.kept.of("release_refused")[0]?.["serving"], CONTENT);
  world.data.retired.clear();
  await refused(await world.post(NAME, { user_id: B }), 503, "database_unavailable");
});

Deno.test("before the first release, and with an unfit one alone, it is 503", async () => {
  await using world = new World();
  await refused(await world.post(NAME, { user_id: A }), 503, "no_release");
  await world.release(CONTENT);
  world.artifacts.faults.set(`${CONTENT}/manifest.json`, () => new Response("<html>"));
  world.clock += 1000;
  const response = await world.post(NAME, { user_id: A });
  strictEqual(response.headers.get("retry-after"), "1");
  await refused(response, 503, "model_unavailable");
});

const DATABASE: Record<string, [error: unknown, status: number, code: string]> = {
  "does not answer": [new DatabaseError(0, "", "user_embedding_state"), 503, "database_unavailable"],
  "is busy": [new DatabaseError(0, "busy", "user_embedding_state"), 503, "overloaded"],
  "answers 503": [new DatabaseError(503, "57P03", "user_embedding_state"), 503, "database_unavailable"],
  "lacks the function": [new DatabaseError(404, "PGRST202", "user_embedding_state"), 500, "internal"],
  "meets a mistake of ours": [new RangeError("secret words"), 500, "internal"],
};

for (const [name, [error, status, code]] of Object.entries(DATABASE)) {
  Deno.test(`a database that ${name} is ${status} ${code}, and nothing internal is shown`, async () => {
    await using world = new World();
    await world.release(CONTENT);
    await world.answer(NAME, { user_id: A });
    world.data.before = () => {
      throw error;
    };
    const text = await refused(await world.post(NAME, { user_id: A }), status, code);
    ok(!/secret|embedding_state|PGRST|Range|\.ts/.test(text), text);
    ok(!world.kept.text.includes("secret words"));
  });
}

Deno.test("a payload that no vector can be made of is 500 with a code of its own", async () => {
  await using world = new World();
  await world.release(CONTENT);
  world.decide(A, 0);
  world.data.userState = () =>
    Promise.resolve({ asOf: "2026-03-01T00:00:00Z", payload: { user_id: 7 }, stored: null });
  await refused(await world.post(NAME, { user_id: A }), 500, "unusable_features");
  const huge = { user_id: A, price_stats: { mean: 1e300, median: 0 } };
  world.data.userState = () => Promise.resolve({ asOf: "2026-03-01T00:00:00Z", payload: huge, stored: null });
  await refused(await world.post(NAME, { user_id: A }), 500, "unusable_features");
});

Deno.test("no token, key or user id ever reaches the log", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const user = await world.asUser(A);
  await world.answer(NAME, { user_id: A }, user);
  await refused(await world.post(NAME, { user_id: B }, user), 403, "not_your_user");
  await refused(
    await world.post(NAME, { user_id: A }, { authorization: "Bearer sb_secret_wrong" }),
    401,
    "unauthorized",
  );
  await world.answer(NAME, { user_id: A });
  for (const secret of [SERVER_KEY, "sb_secret_wrong", user["authorization"]?.slice(7) ?? "?", A, B]) {
    ok(!world.kept.text.includes(secret));
  }
  strictEqual(world.kept.of("request").length, 4);
  ok(world.kept.of("request").every((fields) => typeof fields["request_id"] === "string"));
});

Deno.test("a thousand requests at once, a third of them unfit: each has its status, and the next is answered", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const user = await world.asUser(A);
  const statuses = await Promise.all(Array.from({ length: 1000 }, async (_, number) => {
    const response = number % 3 === 0
      ? await world.post(NAME, { user_id: A }, {})
      : await world.post(NAME, { user_id: number % 3 === 1 ? A : B }, user);
    await response.body?.cancel();
    return response.status;
  }));
  deepStrictEqual(statuses, Array.from({ length: 1000 }, (_, number) => [401, 200, 403][number % 3]));
  strictEqual((await world.answer(NAME, { user_id: A }, user)).source, "cache");
  strictEqual(world.kept.of("release_loaded").length, 1);
});
