import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { LiveRelease } from "../../infra/supabase/functions/_shared/data.ts";
import { LiveModel } from "../../infra/supabase/functions/_shared/live_model.ts";
import { DatabaseError } from "../../infra/supabase/functions/_shared/postgrest.ts";
import { loader } from "../../infra/supabase/functions/_shared/release.ts";
import { typescriptEngine } from "../../infra/supabase/functions/_shared/typescript_engine.ts";
import { ArtifactServer, CONTENT, HYBRID, KeptLog, NEWER, releaseOf } from "./testing.ts";

/** A registry, an artifact server and a clock, all in the test's hands; what is loaded is the real thing. */
class World implements AsyncDisposable {
  readonly artifacts = new ArtifactServer();
  readonly kept = new KeptLog();
  live: LiveRelease | null = null;
  asked = 0;
  loads: string[] = [];
  clock = 0;
  beforeLoad: (version: string) => void | Promise<void> = () => {};
  registry: () => void = () => {};
  readonly model: LiveModel;

  constructor() {
    const load = loader({ url: this.artifacts.url, timeoutMilliseconds: 30_000 }, typescriptEngine, this.kept.log);
    this.model = new LiveModel({
      liveRelease: () => {
        this.asked++;
        this.registry();
        return Promise.resolve(this.live);
      },
      load: async (release) => {
        this.loads.push(release.modelVersion);
        await this.beforeLoad(release.modelVersion);
        return await load(release);
      },
      log: this.kept.log,
      refreshMilliseconds: 30_000,
      retryMilliseconds: 1000,
      now: () => this.clock,
    });
  }

  async release(version: string): Promise<void> {
    this.live = await releaseOf(version);
  }

  /** The version that answers now, once any look that this starts has ended. */
  async serves(): Promise<string> {
    await this.model.current();
    await this.model.settled();
    const { model, refusedVersion } = await this.model.current();
    return refusedVersion === null ? model.modelVersion : `${model.modelVersion} instead of ${refusedVersion}`;
  }

  damage(version: string, path = "normalizer.json"): void {
    this.artifacts.faults.set(`${version}/${path}`, (bytes) => new Response(bytes.slice().fill(32, 10, 11)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.artifacts[Symbol.asyncDispose]();
  }
}

Deno.test("a thousand callers at once load once, and ask once before and once after", async () => {
  await using world = new World();
  await world.release(CONTENT);
  const served = await Promise.all(Array.from({ length: 1000 }, () => world.model.current()));
  deepStrictEqual(new Set(served.map(({ model }) => model)).size, 1);
  deepStrictEqual(world.loads, [CONTENT]);
  strictEqual(world.asked, 2);
});

Deno.test("a flip is followed within the time set, and nobody waits for it", async () => {
  await using world = new World();
  await world.release(CONTENT);
  strictEqual(await world.serves(), CONTENT);
  await world.release(NEWER);
  world.clock = 29_999;
  strictEqual(await world.serves(), CONTENT);
  world.clock = 30_000;
  strictEqual((await world.model.current()).model.modelVersion, CONTENT);
  await world.model.settled();
  strictEqual((await world.model.current()).model.modelVersion, NEWER);
});

Deno.test("a caller whom the database told of another version has it looked for at once", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  const served = await Promise.all(Array.from({ length: 50 }, () => world.model.newerThan(CONTENT)));
  ok(served.every(({ model }) => model.modelVersion === NEWER));
  deepStrictEqual(world.loads, [CONTENT, NEWER]);
  strictEqual((await world.model.newerThan(CONTENT)).model.modelVersion, NEWER);
  strictEqual(world.asked, 4);
});

Deno.test("two flips while one version is loading end at the last, with one load each", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  world.beforeLoad = async (version) => {
    if (version === NEWER) await world.release(HYBRID);
  };
  const [one, two] = await Promise.all([world.model.newerThan(CONTENT), world.model.newerThan(CONTENT)]);
  strictEqual(one.model.modelVersion, HYBRID);
  strictEqual(two.model, one.model);
  deepStrictEqual(world.loads, [CONTENT, NEWER, HYBRID]);
});

Deno.test("one changed byte: the last good release goes on, says so, and gives way once the file is mended", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  world.damage(NEWER);
  world.clock = 30_000;
  strictEqual(await world.serves(), `${CONTENT} instead of ${NEWER}`);
  deepStrictEqual(world.kept.of("release_refused"), [{
    model_version: NEWER,
    serving: CONTENT,
    reason: "normalizer.json is not the file that was released",
    lasting: false,
  }]);
  world.artifacts.faults.clear();
  world.clock = 60_000;
  strictEqual(await world.serves(), NEWER);
});

Deno.test("an unfit release is not loaded again by every caller", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  world.damage(NEWER);
  for (let call = 0; call < 20; call++) await world.model.newerThan(CONTENT);
  deepStrictEqual(world.loads, [CONTENT, NEWER]);
  world.clock += 1000;
  await world.model.newerThan(CONTENT);
  deepStrictEqual(world.loads, [CONTENT, NEWER, NEWER]);
});

Deno.test("going back to the version that serves ends the remark about the refused one", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  world.damage(NEWER);
  strictEqual((await world.model.newerThan(CONTENT)).refusedVersion, NEWER);
  await world.release(CONTENT);
  world.clock = 30_000;
  strictEqual(await world.serves(), CONTENT);
});

Deno.test("the same version released again with other bytes is tried at once", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  world.live = { modelVersion: NEWER, manifestHash: "0".repeat(64) };
  strictEqual((await world.model.newerThan(CONTENT)).refusedVersion, NEWER);
  await world.release(NEWER);
  strictEqual((await world.model.newerThan(CONTENT)).model.modelVersion, NEWER);
});

Deno.test("without any good release callers are told so, and it is tried again a second later", async () => {
  await using world = new World();
  await world.release(CONTENT);
  world.damage(CONTENT);
  const refusals = await Promise.allSettled(Array.from({ length: 100 }, () => world.model.current()));
  ok(refusals.every((one) => one.status === "rejected" && one.reason.code === "model_unavailable"));
  await rejects(world.model.current(), { status: 503, code: "model_unavailable" });
  deepStrictEqual(world.loads, [CONTENT]);
  world.artifacts.faults.clear();
  world.clock = 1000;
  strictEqual(await world.serves(), CONTENT);
});

Deno.test("no release, and a database that does not answer, are told apart", async () => {
  await using world = new World();
  await rejects(world.model.current(), { status: 503, code: "no_release" });
  world.clock = 1000;
  world.registry = () => {
    throw new DatabaseError(0, "", "get_live_release");
  };
  await rejects(world.model.current(), { status: 503, code: "database_unavailable" });
});

Deno.test("a loaded model goes on while the database is away", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  world.registry = () => {
    throw new DatabaseError(0, "", "get_live_release");
  };
  world.clock = 30_000;
  strictEqual(await world.serves(), CONTENT);
  strictEqual(world.kept.of("live_release_unknown").length, 1);
});

Deno.test("a mistake of our own while following leaves the model in place and is noted without its words", async () => {
  await using world = new World();
  await world.release(CONTENT);
  await world.model.current();
  await world.release(NEWER);
  world.beforeLoad = () => {
    throw new RangeError("secret words");
  };
  world.clock = 30_000;
  strictEqual(await world.serves(), CONTENT);
  deepStrictEqual(world.kept.of("model_not_followed"), [{ error: "RangeError" }]);
});
