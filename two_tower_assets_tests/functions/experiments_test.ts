/** Lists of running experiments by the real handler: two versions at once, and nothing but the live one when it ends. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { armOf, type Experiment } from "../../infra/supabase/functions/_shared/experiments.ts";
import { DatabaseError } from "../../infra/supabase/functions/_shared/postgrest.ts";
import { NO_CHANGES, type RankingChanges } from "../../infra/supabase/functions/_shared/ranking_settings.ts";
import { ReleaseError } from "../../infra/supabase/functions/_shared/release_error.ts";
import { MOST_VERSIONS } from "../../infra/supabase/functions/_shared/running_experiments.ts";
import { video, videoId } from "./memory_data.ts";
import { CONTENT, HYBRID, NEWER, releaseOf } from "./testing.ts";
import { type Body, World } from "./world.ts";

const NAME = "ai-recommend-v5";

interface Change {
  readonly kind?: "interleaving";
  readonly version?: string | null;
  readonly ranking?: Partial<RankingChanges>;
  readonly name?: string;
}

async function experiment({ kind, version = NEWER, ranking = {}, name = "e" }: Change = {}): Promise<Experiment> {
  return {
    name,
    kind: kind ?? "arms",
    salt: "salt",
    from: 0,
    until: 1,
    arms: [
      { name: "control", weight: 0.5, release: null, ranking: NO_CHANGES },
      {
        name: "challenger",
        weight: 0.5,
        release: version === null ? null : await releaseOf(version),
        ranking: { ...NO_CHANGES, ...ranking },
      },
    ],
  };
}

async function opened(change: Change = {}, more: ConstructorParameters<typeof World>[0] = {}): Promise<World> {
  const world = new World(more);
  await world.release(CONTENT);
  world.data.running = [await experiment(change)];
  world.fill(30);
  return world;
}

/** The first users of each arm; everybody likes video 29. */
async function users(world: World): Promise<{ readonly control: string; readonly challenger: string }> {
  const found = new Map<string, string>();
  const [running] = world.data.running;
  for (let number = 0; found.size < 2 && running !== undefined; number++) {
    const user = `0c0c0c0c-0000-4000-8000-${number.toString().padStart(12, "0")}`;
    found.set((await armOf(running, user)).name, user);
  }
  for (const user of found.values()) world.decide(user, 29);
  return { control: found.get("control") ?? "", challenger: found.get("challenger") ?? "" };
}

interface Served {
  readonly body: Body;
  readonly version: string | null;
  readonly experiment: string | null;
  readonly arm: string | null;
}

async function ask(world: World, user: string, more: Record<string, unknown> = {}): Promise<Served> {
  const response = await world.post(NAME, { user_id: user, limit: 6, ...more });
  const body = await response.json();
  strictEqual(response.status, 200, JSON.stringify(body));
  const header = (name: string) => response.headers.get(name);
  strictEqual(body.modelVersion, header("x-model-version"));
  await world.quiet();
  return { body, version: header("x-model-version"), experiment: header("x-experiment"), arm: header("x-arm") };
}

const exposed = ({ version, experiment, arm }: Served) => [version, experiment, arm];
const logged = (world: World) =>
  world.data.served.map(({ modelVersion, experiment, arm }) => [modelVersion, experiment, arm]);

Deno.test("two versions serve at once, each with its own user vectors, and each list is an exposure of its arm", async () => {
  await using world = await opened();
  const { control, challenger } = await users(world);
  deepStrictEqual(exposed(await ask(world, control)), [CONTENT, "e", "control"]);
  deepStrictEqual(exposed(await ask(world, challenger)), [NEWER, "e", "challenger"]);
  deepStrictEqual([...world.data.vectors.keys()], [`${CONTENT} ${control}`, `${NEWER} ${challenger}`]);
  deepStrictEqual(logged(world), [[CONTENT, "e", "control"], [NEWER, "e", "challenger"]]);
  ok(world.data.served.every(({ teams }) => teams === null));
});

Deno.test("an arm costs two calls with a stale vector, one with a fresh one, and the body has no key more", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  const first = await ask(world, challenger);
  const second = await ask(world, challenger);
  deepStrictEqual([first.body.embeddingSource, second.body.embeddingSource], ["fresh", "cache"]);
  deepStrictEqual(world.data.calls, [
    "registered",
    "registered",
    "candidates",
    "candidates",
    "logServedLists",
    "candidates",
    "logServedLists",
  ]);
  world.data.running = [];
  await world.live.newerThan(CONTENT);
  const without = await ask(world, challenger);
  deepStrictEqual(Object.keys(without.body), Object.keys(first.body));
  deepStrictEqual(exposed(without), [CONTENT, null, null]);
});

Deno.test("users outside the traffic are served as ever, and their lists belong to no experiment", async () => {
  await using world = await opened();
  const { control, challenger } = await users(world);
  world.data.running = [{ ...await experiment(), until: 0 }];
  for (const user of [control, challenger]) deepStrictEqual(exposed(await ask(world, user)), [CONTENT, null, null]);
  deepStrictEqual(logged(world), [[CONTENT, null, "test"], [CONTENT, null, "test"]]);
});

Deno.test("an arm's settings of the list stand before the deployment's and the release's", async () => {
  const ranking = { candidates: 25, diversityLambda: 0.1, exploreShare: 0.5, rerank: { similarityWeight: 2 } };
  await using world = await opened({ version: null, ranking }, { random: () => 0.6 });
  const { control, challenger } = await users(world);
  world.data.videos = [
    ...[0, 1, 2].map((number) => video(number, { maker: "m" })),
    video(900, { maker: "o" }),
    ...Array.from({ length: 40 }, (_, number) => video(1000 + number, { maker: "m" })),
  ];
  const limits: number[] = [];
  const { candidates } = world.data;
  world.data.candidates = (query) => {
    limits.push(query.limit);
    return candidates.call(world.data, query);
  };
  const [one, other] = [await ask(world, control, { limit: 2 }), await ask(world, challenger, { limit: 2 })];
  deepStrictEqual([one, other].map(({ body }) => body.items.map((item: Body) => item.video.id)), [
    [videoId(0), videoId(1)],
    [videoId(0), videoId(900)],
  ]);
  deepStrictEqual([one, other].map(({ body }) => body.items[0].score), [0.75, 2]);
  deepStrictEqual(limits, [20, 20, 25, 25]);
  deepStrictEqual(world.data.served.map(({ propensities }) => propensities), [[1, 1], [0.5, 0.5]]);
});

Deno.test("a stop is heard by the request that meets it: the live version answers, and it is no exposure", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  await ask(world, challenger);
  for (const at of [0, 1]) {
    // In the search with the stored vector, and in the one with the new vector.
    world.data.running = [await experiment()];
    await world.live.newerThan(CONTENT);
    world.decide(challenger, 20 + at);
    let calls = 0;
    world.data.before = (call) => {
      if (call === "candidates" && calls++ === at) world.data.running = [];
    };
    deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
  }
  deepStrictEqual(logged(world), [[NEWER, "e", "challenger"], [CONTENT, null, "test"], [CONTENT, null, "test"]]);
});

Deno.test("a stop of settings alone is heard as soon as that of a version", async () => {
  await using world = await opened({ version: null, ranking: { diversityLambda: 0.5 } });
  const { challenger } = await users(world);
  deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, "e", "challenger"]);
  world.data.running = [];
  deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
});

Deno.test("a flip while an experiment runs: arms without a version of their own go on with the new live one", async () => {
  await using world = await opened();
  const { control, challenger } = await users(world);
  await ask(world, control);
  await world.release(HYBRID);
  deepStrictEqual(exposed(await ask(world, control)), [HYBRID, "e", "control"]);
  deepStrictEqual(exposed(await ask(world, challenger)), [NEWER, "e", "challenger"]);
});

Deno.test("an arm that is the live version is served by the model that is there", async () => {
  await using world = await opened({ version: CONTENT });
  const { challenger } = await users(world);
  deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, "e", "challenger"]);
  strictEqual(world.artifacts.asked.filter((path) => path.endsWith("manifest.json")).length, 1);
});

Deno.test("an arm that cannot be loaded: its users get the live list, noted as no exposure, the others go on, and it is tried again", async () => {
  await using world = await opened();
  const { control, challenger } = await users(world);
  world.artifacts.faults.set(`${NEWER}/vocab_tag.json`, (bytes) => new Response(bytes.slice().fill(88, 20, 21)));
  for (let call = 0; call < 3; call++) {
    deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
  }
  deepStrictEqual(exposed(await ask(world, control)), [CONTENT, "e", "control"]);
  deepStrictEqual(world.kept.of("arm_refused"), [{
    model_version: NEWER,
    reason: "vocab_tag.json is not the file that was released",
    lasting: false,
  }]);
  deepStrictEqual(world.kept.of("arm_not_served")[0], {
    experiment: "e",
    arm: "challenger",
    model_version: NEWER,
    reason: "model_unavailable",
    exposure: false,
  });
  strictEqual(world.kept.of("arm_not_served").length, 3);
  world.artifacts.faults.clear();
  world.clock += 1000;
  deepStrictEqual(exposed(await ask(world, challenger)), [NEWER, "e", "challenger"]);
});

Deno.test("the first callers of an arm wait for its model, which is loaded once", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  const served = await Promise.all(Array.from({ length: 30 }, () => ask(world, challenger)));
  ok(served.every(({ version }) => version === NEWER));
  strictEqual(world.artifacts.asked.filter((path) => path === `${NEWER}/manifest.json`).length, 1);
});

Deno.test("an arm that the database refuses while it runs is not asked for endlessly: the live list is the answer", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  const { candidates } = world.data;
  world.data.candidates = async (query) => {
    if (query.modelVersion === NEWER) throw new DatabaseError(409, "PT409", "vectors are gone");
    return await candidates.call(world.data, query);
  };
  deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
  strictEqual(world.kept.of("arm_not_served")[0]?.reason, "refused_by_the_database");
});

Deno.test("an arm whose model fails with a user gives that user the live list, in the same answer", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  await ask(world, challenger);
  world.decide(challenger, 20);
  const treatment = await world.experiments.treatment(challenger, (await world.live.current()).model);
  for (const error of [new ReleaseError("the tower gives no unit vector"), new RangeError("of our own")]) {
    Object.assign(treatment?.rankers[0].model.parts ?? {}, { engine: { run: () => Promise.reject(error) } });
    deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
    strictEqual(world.kept.of("arm_not_served").at(-1)?.reason, error.name);
  }
});

Deno.test("an interleaved list has both arms' picks, whose is whose on record, and costs at most two calls a ranking", async () => {
  await using world = await opened({ kind: "interleaving" }, { exploreShare: 0.5 });
  const { control } = await users(world);
  const first = await ask(world, control);
  deepStrictEqual(exposed(first), [CONTENT, "e", "interleaved"]);
  deepStrictEqual([...world.data.vectors.keys()].sort(), [`${CONTENT} ${control}`, `${NEWER} ${control}`]);
  await ask(world, control);
  const calls = world.data.calls.filter((call) => call === "candidates");
  strictEqual(calls.length, 4 + 2);
  for (const { teams, videoIds, sources, propensities } of world.data.served) {
    strictEqual(teams?.length, videoIds.length);
    strictEqual(new Set(videoIds).size, 6);
    deepStrictEqual(["control", "arm"].map((team) => teams?.filter((one) => one === team).length), [3, 3]);
    // Both rank alike here, so that nothing but the credit is left to the coin.
    ok(sources.every((source) => source === "model") && propensities.every((chance) => chance === 1));
  }
});

Deno.test("an interleaved experiment whose arm cannot be had shows the live list, which is no exposure", async () => {
  await using world = await opened({ kind: "interleaving" });
  const { control } = await users(world);
  world.artifacts.faults.set(`${NEWER}/manifest.json`, () => new Response("gone", { status: 404 }));
  deepStrictEqual(exposed(await ask(world, control)), [CONTENT, null, null]);
  deepStrictEqual([world.data.served[0]?.teams, world.data.served[0]?.experiment], [null, null]);
});

Deno.test("no more versions are loaded than a function holds, and those of stopped experiments make room", async () => {
  await using world = await opened();
  const { challenger } = await users(world);
  world.data.running = [];
  await ask(world, challenger);
  const releases = Array.from({ length: MOST_VERSIONS }, (_, number) => ({
    modelVersion: `missing-${number}`,
    manifestHash: "0".repeat(64),
  })).concat(await releaseOf(NEWER) as { modelVersion: string; manifestHash: string });
  for (const wanted of releases) {
    // All the weight is on the one wanted.
    const arms = releases.map((release) => ({
      name: release.modelVersion,
      weight: release === wanted ? 1 : 1e-9,
      release,
      ranking: NO_CHANGES,
    })).sort((a, b) => b.weight - a.weight);
    world.data.running = [{ ...await experiment(), arms }];
    await world.live.newerThan(CONTENT);
    deepStrictEqual(exposed(await ask(world, challenger)), [CONTENT, null, null]);
  }
  strictEqual(world.kept.of("arm_refused").at(-1)?.reason, `More than ${MOST_VERSIONS} versions beside the live one`);
  world.data.running = [await experiment()];
  world.clock += 30_000;
  await world.live.newerThan(CONTENT);
  deepStrictEqual(exposed(await ask(world, challenger)), [NEWER, "e", "challenger"]);
});
