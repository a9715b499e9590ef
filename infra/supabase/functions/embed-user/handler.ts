/** `embed-user`: a user's vector of the live version, the stored one where it is fresh, else computed and kept. */

import { readJson } from "../_shared/body.ts";
import { type Identify, requireOwn } from "../_shared/caller.ts";
import type { Data, Version } from "../_shared/data.ts";
import { type Answer, endpoint, type Handler } from "../_shared/endpoint.ts";
import { Fields } from "../_shared/fields.ts";
import { requireForceAllowed } from "../_shared/force.ts";
import { HttpError } from "../_shared/http_error.ts";
import type { LiveModel } from "../_shared/live_model.ts";
import type { Log } from "../_shared/log.ts";
import type { Model } from "../_shared/model.ts";
import { withOneVersion } from "../_shared/one_version.ts";
import type { RateLimit } from "../_shared/rate_limit.ts";
import { shortestFloats } from "../_shared/shortest.ts";

const LARGEST_BODY = 16 * 1024;

export interface Dependencies {
  readonly identify: Identify;
  readonly live: LiveModel;
  readonly data: Data;
  readonly forceLimit: RateLimit;
  readonly allowedOrigins: readonly string[];
  readonly log: Log;
  readonly now: () => number;
}

interface Asked {
  readonly userId: string;
  readonly force: boolean;
}

export function embedUser(needs: Dependencies): Handler {
  return endpoint({
    name: "embed-user",
    methods: ["GET", "POST"],
    allowedOrigins: needs.allowedOrigins,
    log: needs.log,
    now: needs.now,
    work: (request) => answer(needs, request),
  });
}

async function answer(needs: Dependencies, request: Request): Promise<Answer> {
  const caller = await needs.identify(request);
  const asked = await read(request);
  requireOwn(caller, asked.userId);
  if (asked.force) requireForceAllowed(needs.forceLimit, caller);
  const made = await withOneVersion(
    needs.live,
    needs.log,
    (model, version) => vectorOf(needs.data, model, version, asked),
  );
  return { body: made.result, headers: made.headers };
}

async function read(request: Request): Promise<Asked> {
  const fields = new Fields(request.method === "GET" ? query(request.url) : await readJson(request, LARGEST_BODY));
  const asked = { userId: fields.uuid("user_id"), force: fields.boolean("force", false) };
  fields.done();
  return asked;
}

function query(url: string): Record<string, unknown> {
  const { searchParams } = new URL(url);
  const force = searchParams.get("force");
  if (force !== null && force !== "true" && force !== "false") {
    throw new HttpError(400, "invalid_request", "force is neither true nor false");
  }
  return { user_id: searchParams.get("user_id"), force: force === "true" };
}

async function vectorOf(data: Data, model: Model, version: Version, { userId, force }: Asked): Promise<unknown> {
  const { modelVersion } = version;
  const state = await data.userState(userId, version, force);
  if (state.stored !== null) {
    const { embedding, updatedAt } = state.stored;
    const summary = model.summary(state.payload, state.asOf);
    return { userId, source: "cache", embedding, modelVersion, updatedAt, summary };
  }
  const { embedding, summary } = await model.embed(state.payload, state.asOf);
  const updatedAt = await data.storeUserVector(userId, version, { embedding, asOf: state.asOf });
  return { userId, source: "fresh", embedding: shortestFloats(embedding), modelVersion, updatedAt, summary };
}
