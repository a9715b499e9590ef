/** The small parts that both functions stand on: environment, fields, bodies, CORS, limits. */

import { deepStrictEqual, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { later } from "../../infra/supabase/functions/_shared/background.ts";
import { readJson } from "../../infra/supabase/functions/_shared/body.ts";
import { Secrets } from "../../infra/supabase/functions/_shared/constant_time.ts";
import { corsHeaders } from "../../infra/supabase/functions/_shared/cors.ts";
import { readEnvironment } from "../../infra/supabase/functions/_shared/environment.ts";
import { Fields } from "../../infra/supabase/functions/_shared/fields.ts";
import { RateLimit } from "../../infra/supabase/functions/_shared/rate_limit.ts";
import { shortestFloats } from "../../infra/supabase/functions/_shared/shortest.ts";
import { NoSlotError, Slots } from "../../infra/supabase/functions/_shared/slots.ts";

const LEAST = {
  SUPABASE_URL: "https://project.example/",
  SUPABASE_SERVICE_ROLE_KEY: "key",
  MODEL_ARTIFACT_BASE_URL: "https://files.example/two-tower/v3/current",
};

const environment = (variables: Record<string, string>) => readEnvironment((name) => variables[name]);

Deno.test("three variables are enough, and the rest has the contract's defaults", () => {
  deepStrictEqual(environment(LEAST), {
    supabaseUrl: "https://project.example",
    serviceKey: "key",
    serverKeys: ["key"],
    jwtSecret: null,
    jwtIssuer: null,
    artifactsUrl: "https://files.example/two-tower/v3",
    allowedOrigins: ["*"],
    engine: "typescript",
    modelRefreshSeconds: 30,
    databaseTimeoutSeconds: 5,
    databaseConcurrency: 24,
    artifactTimeoutSeconds: 10,
    forceBurst: 3,
    forceIntervalSeconds: 10,
    candidates: 60,
    diversityLambda: 0.9,
    exploreShare: 0.02,
    arm: "default",
  });
});

Deno.test("keys of every name and kind count as a server's; the older kind is the function's own", () => {
  const keys = {
    ...LEAST,
    SUPABASE_SERVICE_ROLE_KEY: "",
    SUPABASE_SERVICE_KEY: "older",
    SUPABASE_SECRET_KEYS: '{"web": "sb_secret_web", "default": "sb_secret_default"}',
  };
  deepStrictEqual(environment(keys).serverKeys, ["older", "sb_secret_default", "sb_secret_web"]);
  strictEqual(environment(keys).serviceKey, "older");
  strictEqual(environment({ ...keys, SUPABASE_SERVICE_KEY: "" }).serviceKey, "sb_secret_default");
});

Deno.test("a variable that cannot be what it says is named, without its value", () => {
  const wrong: Record<string, string> = {
    SUPABASE_URL: "project.example",
    MODEL_ARTIFACT_BASE_URL: "https://files.example/v3",
    SUPABASE_SECRET_KEYS: "sb_secret_value",
    INFERENCE_ENGINE: "cuda-secret",
    MODEL_REFRESH_SECONDS: "often-secret",
    EXPLORE_SHARE: "0.9",
    DATABASE_TIMEOUT_SECONDS: "0",
  };
  for (const [name, value] of Object.entries(wrong)) {
    throws(() => environment({ ...LEAST, [name]: value }), (error: Error) => {
      return error.name === "EnvironmentError" && error.message.includes(name) &&
        !error.message.includes("secret_value") &&
        !error.message.includes("-secret");
    });
  }
  for (const name of Object.keys(LEAST)) throws(() => environment({ ...LEAST, [name]: " " }), new RegExp(name));
});

Deno.test("all that is wrong with a request is said at once; unknown fields and nulls are let be", () => {
  const body = { user_id: "x", limit: 0, excludeVideoIds: ["y"], flag: 1, page: 3, regions: ["a\0"], other: {} };
  const fields = new Fields(body);
  fields.uuid("user_id");
  fields.integer("limit", 40, 1, 200);
  fields.uuids("excludeVideoIds", 10);
  fields.boolean("flag", false);
  fields.parsed("page", () => null);
  fields.texts("regions", 10);
  fields.uuid("absent");
  throws(() => fields.done(), {
    status: 400,
    code: "invalid_request",
    message: "user_id is not a UUID; limit is not a whole number from 1 to 200; " +
      "excludeVideoIds is not a list of at most 10 UUIDs; flag is neither true nor false; " +
      "page is not what an earlier answer gave; regions is not a list of at most 10 texts of at most 64 characters; " +
      "absent is missing",
  });
  const nulls = new Fields({ limit: null, flag: null, ids: null, page: null });
  deepStrictEqual(
    [
      nulls.integer("limit", 40, 1, 200),
      nulls.boolean("flag", true),
      nulls.uuids("ids", 1),
      nulls.parsed("page", Number),
    ],
    [40, true, [], null],
  );
  nulls.done();
});

for (
  const [what, value] of Object.entries({ "NaN": NaN, "a fraction": 1.5, "text": "40", "true": true, "a list": [1] })
) {
  Deno.test(`${what} is no limit`, () => {
    const fields = new Fields({ limit: value });
    fields.integer("limit", 40, 1, 200);
    throws(() => fields.done(), { status: 400 });
  });
}

Deno.test("a body that is no object is refused", () => {
  for (const body of [null, [], "x", 1]) throws(() => new Fields(body), { status: 400, code: "invalid_request" });
});

Deno.test("ids are compared in lower case, whichever they came in", () => {
  const id = "ABCDEFAB-0000-4000-8000-00000000000F";
  strictEqual(new Fields({ user_id: id }).uuid("user_id"), id.toLowerCase());
  deepStrictEqual(new Fields({ ids: [id] }).uuids("ids", 1), [id.toLowerCase()]);
});

const post = (body: BodyInit) => new Request("http://here/", { method: "POST", body });

Deno.test("a body up to the limit is read; a larger one is refused, also when it does not say its size", async () => {
  strictEqual(await readJson(post('"12345678"'), 10), "12345678");
  await rejects(readJson(post('"123456789"'), 10), { status: 413, code: "body_too_large" });
  let sent = 0;
  const stream = new ReadableStream({
    pull: (controller) => {
      sent++;
      controller.enqueue(new Uint8Array(1000));
    },
  });
  await rejects(readJson(post(stream), 10_000), { status: 413 });
  ok(sent < 20, `${sent} chunks were read`);
});

Deno.test("what is no JSON, no UTF-8 or nothing is refused", async () => {
  for (const body of ["{", "", new Uint8Array([34, 0xff, 34]), "NaN"]) {
    await rejects(readJson(post(body), 100), { status: 400, code: "invalid_json" });
  }
});

Deno.test("CORS: any origin by default, else those named, and no other is answered readably", () => {
  strictEqual(corsHeaders("https://a.example", ["*"], "GET").get("access-control-allow-origin"), "*");
  const named = ["https://a.example", "https://b.example"];
  const headers = corsHeaders("https://b.example", named, "GET, OPTIONS");
  strictEqual(headers.get("access-control-allow-origin"), "https://b.example");
  strictEqual(headers.get("access-control-allow-methods"), "GET, OPTIONS");
  strictEqual(headers.get("vary"), "Origin");
  for (const origin of ["https://c.example", "https://a.example.evil", null]) {
    const refused = corsHeaders(origin, named, "GET");
    strictEqual(refused.get("access-control-allow-origin"), null);
    strictEqual(refused.get("vary"), "Origin");
  }
});

Deno.test("a burst is allowed, then one in each interval; users do not share; the longest unused is forgotten", () => {
  let clock = 0;
  const limit = new RateLimit(2, 10, () => clock, 3);
  deepStrictEqual([limit.take("a"), limit.take("a"), limit.take("a")], [0, 0, 10]);
  strictEqual(limit.take("b"), 0);
  clock = 4000;
  strictEqual(limit.take("a"), 6);
  clock = 10_000;
  deepStrictEqual([limit.take("a"), limit.take("a")], [0, 10]);
  clock = 1e9;
  deepStrictEqual([limit.take("a"), limit.take("a"), limit.take("a")], [0, 0, 10]);
  for (const other of ["c", "d", "e"]) limit.take(other);
  strictEqual(limit.take("a"), 0);
});

Deno.test("no more runs at once than slots, in the order they came", async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  let [now, most] = [0, 0];
  await Promise.all(Array.from({ length: 9 }, (_, number) =>
    slots.run(AbortSignal.timeout(5000), async () => {
      most = Math.max(most, ++now);
      order.push(number);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
    })));
  strictEqual(most, 2);
  deepStrictEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

Deno.test("who waits too long or finds too many waiting is turned away, and a failed run gives its slot back", async () => {
  const slots = new Slots(1, 1);
  let end: () => void = () => {};
  const busy = slots.run(AbortSignal.timeout(5000), () => new Promise<void>((resolve) => end = resolve));
  const stop = new AbortController();
  const waiting = rejects(slots.run(stop.signal, () => Promise.resolve()), NoSlotError);
  await rejects(slots.run(AbortSignal.timeout(5000), () => Promise.resolve()), NoSlotError);
  stop.abort();
  await waiting;
  end();
  await busy;
  await rejects(slots.run(AbortSignal.timeout(5000), () => Promise.reject(new RangeError())), RangeError);
  strictEqual(await slots.run(AbortSignal.timeout(5000), () => Promise.resolve("free")), "free");
});

Deno.test("secrets are told from others and from parts of themselves; an empty one matches nothing", async () => {
  const secrets = new Secrets(["one", "", "two"]);
  for (const [text, known] of [["one", true], ["two", true], ["", false], ["on", false], ["onee", false]] as const) {
    strictEqual(await secrets.has(text), known, text);
  }
});

Deno.test("work after the answer is handed to the platform, and its failure is reported and goes no further", async () => {
  const [handed, failures]: [Promise<unknown>[], unknown[]] = [[], []];
  const runtime = globalThis as { EdgeRuntime?: unknown };
  runtime.EdgeRuntime = { waitUntil: (promise: Promise<unknown>) => handed.push(promise) };
  try {
    const error = new Error("after");
    later((failed) => failures.push(failed))(() => Promise.reject(error));
    await Promise.all(handed);
    deepStrictEqual([handed.length, failures], [1, [error]]);
  } finally {
    delete runtime.EdgeRuntime;
  }
});

Deno.test("nine digits are enough to tell every float from the next", () => {
  const values = Float32Array.from({ length: 1000 }, (_, n) => Math.sin(n) * 10 ** (n % 70 - 35));
  deepStrictEqual(new Float32Array(shortestFloats(values)), values);
  ok(JSON.stringify(shortestFloats(values)).length < JSON.stringify([...values]).length * 0.8);
});
