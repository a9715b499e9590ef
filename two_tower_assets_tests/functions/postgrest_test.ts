/** The client of PostgREST against servers that answer as it does, or as a broken one does. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { ServedList } from "../../infra/supabase/functions/_shared/data.ts";
import { Database } from "../../infra/supabase/functions/_shared/database.ts";
import { DatabaseError, Postgrest } from "../../infra/supabase/functions/_shared/postgrest.ts";
import { Slots } from "../../infra/supabase/functions/_shared/slots.ts";
import { Server } from "./testing.ts";

const JWT = "e30.e30.c2ln";
const VERSION = { modelVersion: "v1", allowRetired: false };
const USER = "00000000-0000-4000-8000-000000000001";

const LIST: ServedList = {
  listId: "l",
  userId: USER,
  modelVersion: "v1",
  arm: "interleaved",
  experiment: "e",
  teams: ["arm"],
  firstPosition: 40,
  videoIds: ["v"],
  scores: [0.5],
  sources: ["model"],
  propensities: [0.98],
};

function client(server: Server, more: { key?: string; timeoutMilliseconds?: number; slots?: Slots } = {}): Postgrest {
  return new Postgrest({
    supabaseUrl: server.url,
    key: JWT,
    timeoutMilliseconds: 2000,
    slots: new Slots(4),
    ...more,
  });
}

function database(answer: unknown): [server: Server, database: Database, bodies: unknown[]] {
  const bodies: unknown[] = [];
  const server = new Server(async (request) => {
    bodies.push(await request.json());
    return Response.json(answer);
  });
  return [server, new Database(client(server)), bodies];
}

async function failure(work: Promise<unknown>): Promise<DatabaseError> {
  const error = await work.then(() => null, (error) => error);
  ok(error instanceof DatabaseError, String(error));
  return error;
}

Deno.test("a key of the older kind is sent as token too, one of the newer kind is not", async () => {
  const seen: (string | null)[][] = [];
  await using server = new Server((request) => {
    seen.push([new URL(request.url).pathname, request.headers.get("apikey"), request.headers.get("authorization")]);
    return Response.json(7);
  });
  strictEqual(await client(server).call("some_function", {}), 7);
  await client(server, { key: "sb_secret_x" }).call("some_function", {});
  deepStrictEqual(seen, [
    ["/rest/v1/rpc/some_function", JWT, `Bearer ${JWT}`],
    ["/rest/v1/rpc/some_function", "sb_secret_x", null],
  ]);
});

Deno.test("a raised PT409 is told from other conflicts, whichever way PostgREST says it", async () => {
  for (
    const [status, body, other, passing] of [
      [409, '{"code":"PT409","message":"The vector is of version …"}', true, false],
      [409, "{}", true, false],
      [409, '{"code":"23505"}', false, false],
      [404, '{"code":"PGRST202"}', false, false],
      [401, '{"code":"PGRST301"}', false, false],
      [503, '{"code":"PT503"}', false, true],
      [500, "<html>", false, true],
      [429, "", false, true],
    ] as const
  ) {
    await using server = new Server(() => new Response(body, { status }));
    const error = await failure(client(server).call("f", {}));
    deepStrictEqual([error.status, error.otherVersion, error.passing], [status, other, passing]);
  }
});

Deno.test("no answer, a late one, a broken one and an HTML page are all failures of the database", async () => {
  const gone = new Server(() => new Response());
  await gone[Symbol.asyncDispose]();
  ok((await failure(client(gone).call("f", {}))).passing);

  let answer: (response: Response) => void = () => {};
  await using slow = new Server(() => new Promise((resolve) => answer = resolve));
  ok((await failure(client(slow, { timeoutMilliseconds: 100 }).call("f", {}))).passing);
  answer(new Response());

  await using page = new Server(() => new Response("<html>"));
  ok((await failure(client(page).call("f", {}))).passing);
});

Deno.test("a slow database is asked by few at a time, and those who wait are turned away in time", async () => {
  let [now, most] = [0, 0];
  await using server = new Server(async () => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 300));
    now--;
    return Response.json(1);
  });
  const asking = client(server, { timeoutMilliseconds: 450, slots: new Slots(4, 10) });
  const codes = await Promise.all(
    Array.from(
      { length: 100 },
      () => asking.call("f", {}).then(() => "answered", (error) => error.code || "timeout"),
    ),
  );
  const count = (code: string) => codes.filter((one) => one === code).length;
  // Those given up may still be at work there when the next are let in.
  ok(most <= 8, `${most}`);
  ok(count("answered") >= 4, codes.join());
  strictEqual(count("busy") + count("timeout") + count("answered"), 100);
  ok(count("busy") >= 86, codes.join());
});

Deno.test("who waited for a slot still has half of the time for the call itself", async () => {
  await using server = new Server(async () => {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return Response.json(1);
  });
  // The second call's turn comes after 300 ms of the 1000, the third's after 600, which is too late to begin.
  const asking = client(server, { timeoutMilliseconds: 1000, slots: new Slots(1) });
  const calls = [1, 2, 3].map(() => asking.call("f", {}).then(() => "answered", (error) => error.code));
  deepStrictEqual(await Promise.all(calls), ["answered", "answered", "busy"]);
});

const ARM = { arm: "control", weight: 0.5, model_version: null, manifest_hash: null, ranking: {} };
const RUNNING = {
  name: "e",
  kind: "arms",
  salt: "s",
  from: 0.1,
  until: 0.30,
  arms: [ARM, {
    ...ARM,
    arm: "new",
    model_version: "v2",
    manifest_hash: "cd",
    ranking: { diversity_lambda: 0.5, rerank: { recency_weight: 0 } },
  }],
};

Deno.test("what is live, and what runs, come in one answer; an experiment that cannot be read stops neither", async () => {
  const unreadable = [
    { ...RUNNING, kind: "bandit" },
    { ...RUNNING, arms: [ARM] },
    { ...RUNNING, kind: "interleaving", arms: [ARM, ARM, ARM] },
    { ...RUNNING, arms: [ARM, { ...ARM, ranking: { diversity_lambda: 1.5 } }] },
    { ...RUNNING, arms: [ARM, { ...ARM, ranking: { colour: 1 } }] },
  ].map((one, place) => ({ ...one, name: `unreadable-${place}` }));
  const running = {
    name: "e",
    kind: "arms",
    salt: "s",
    from: 0.1,
    until: 0.3,
    arms: [
      { name: "control", weight: 0.5, release: null, ranking: { rerank: {} } },
      {
        name: "new",
        weight: 0.5,
        release: { modelVersion: "v2", manifestHash: "cd" },
        ranking: { diversityLambda: 0.5, rerank: { recencyWeight: 0 } },
      },
    ],
  };
  for (
    const [answer, expected] of [
      [{ live: null, experiments: [] }, { live: null, running: [], unreadable: [] }],
      [{ live: { model_version: "v1", manifest_hash: null }, experiments: [...unreadable, RUNNING] }, {
        live: { modelVersion: "v1", manifestHash: null },
        running: [running],
        unreadable: unreadable.map(({ name }) => name),
      }],
    ] as const
  ) {
    const [server, data] = database(answer);
    await using _ = server;
    deepStrictEqual(await data.registered(), expected);
  }
});

Deno.test("a database that knows nothing of experiments yet says what is live, and its lists are logged as ever", async () => {
  for (
    const [rows, live] of [
      [[], null],
      [[{ model_version: "v1", manifest_hash: "ab", artifact_prefix: "p" }], {
        modelVersion: "v1",
        manifestHash: "ab",
      }],
    ] as const
  ) {
    await using server = new Server(({ url }) =>
      url.endsWith("/get_serving") ? Response.json({ code: "PGRST202" }, { status: 404 }) : Response.json(rows)
    );
    deepStrictEqual(await new Database(client(server)).registered(), { live, running: [], unreadable: [] });
  }
  const seen: Record<string, unknown>[][] = [];
  await using server = new Server(async (request) => {
    seen.push(await request.json());
    return new Response(null, { status: 201 });
  });
  const [list, data] = [{ ...LIST, arm: "default", experiment: null, teams: null }, new Database(client(server))];
  await data.logServedLists([list]);
  await data.logServedLists([list, LIST]);
  // PostgREST wants all rows of an insert to have the same keys.
  deepStrictEqual(seen.map((rows) => rows.map((row) => "experiment" in row && "teams" in row)), [[false], [
    true,
    true,
  ]]);
});

Deno.test("a stored vector comes as pgvector's text; vectors go as text of nine digits", async () => {
  const [server, data, bodies] = database({
    as_of: "now",
    payload: { a: 1 },
    embedding: "[0.5,-1]",
    updated_at: "then",
  });
  await using _ = server;
  deepStrictEqual(await data.userState(USER, VERSION, true), {
    asOf: "now",
    payload: { a: 1 },
    stored: { embedding: [0.5, -1], updatedAt: "then" },
  });
  const [storing, store, stored] = database("now");
  await using __ = storing;
  strictEqual(
    await store.storeUserVector(USER, VERSION, { embedding: new Float32Array([0.1, 1]), asOf: "now" }),
    "now",
  );
  const asked = { p_user_id: USER, p_model_version: "v1", p_allow_retired: false };
  deepStrictEqual(bodies, [{ ...asked, p_refresh: true }]);
  deepStrictEqual(stored, [{ ...asked, p_embedding: "[0.100000001,1]", p_as_of: "now" }]);
});

Deno.test("a served list is inserted once, whatever is tried again", async () => {
  const seen: unknown[] = [];
  await using server = new Server(async (request) => {
    const { pathname, search } = new URL(request.url);
    seen.push(pathname + search, request.headers.get("prefer"), await request.json());
    return new Response(null, { status: 201 });
  });
  await new Database(client(server)).logServedLists([LIST]);
  deepStrictEqual(seen, [
    "/rest/v1/served_lists?on_conflict=list_id",
    "resolution=ignore-duplicates,return=minimal",
    [{
      list_id: "l",
      user_id: USER,
      model_version: "v1",
      arm: "interleaved",
      experiment: "e",
      teams: ["arm"],
      first_position: 40,
      video_ids: ["v"],
      scores: [0.5],
      sources: ["model"],
      propensities: [0.98],
    }],
  ]);
});

Deno.test("an answer of another shape is a failure of the database, not of the caller", async () => {
  const [server, data] = database({ something: "else" });
  await using _ = server;
  const query = {
    ...VERSION,
    experiment: null,
    userId: USER,
    limit: 1,
    bannedTagIds: [],
    allowedRegions: [],
    excludeVideoIds: [],
    maxSafetyLevel: 1,
    halfLifeDays: 30,
    refresh: false,
    vector: null,
  };
  await rejects(data.registered(), DatabaseError);
  await rejects(data.userState(USER, VERSION, false), DatabaseError);
  await rejects(data.storeUserVector(USER, VERSION, { embedding: new Float32Array(1), asOf: "" }), DatabaseError);
  await rejects(data.candidates(query), DatabaseError);
});
