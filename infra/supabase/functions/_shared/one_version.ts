/** An answer that is made with one model version throughout, also when another goes live meanwhile. */

import type { Version } from "./data.ts";
import type { Replay } from "./golden.ts";
import { HttpError, unavailable } from "./http_error.ts";
import type { LiveModel, Serving } from "./live_model.ts";
import type { Log } from "./log.ts";
import type { Model } from "./model.ts";
import { PayloadError } from "./payload.ts";
import { DatabaseError } from "./postgrest.ts";
import { ReleaseError } from "./release_error.ts";

const MOST_ATTEMPTS = 4;

export interface Made<T> {
  readonly result: T;
  /** To send with it. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Do the work with the live model; all of it again with the next one when the database says that it has changed.
 * @param work is told how often it was tried before */
export async function withOneVersion<T>(
  live: LiveModel,
  log: Log,
  work: (model: Model, version: Version, attempt: number) => Promise<T>,
): Promise<Made<T>> {
  let serving = await live.current();
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const { model, refusedVersion } = serving;
    try {
      const version = { modelVersion: model.modelVersion, allowRetired: refusedVersion !== null };
      return { result: await work(model, version, attempt), headers: headersOf(serving) };
    } catch (error) {
      if (!(error instanceof DatabaseError && error.otherVersion)) throw refusal(error, log);
      serving = await live.newerThan(model.modelVersion);
    }
  }
  throw unavailable("release_changing", "The live model has just changed: ask again");
}

function headersOf({ model, refusedVersion }: Serving): Record<string, string> {
  return {
    ...modelHeaders(model),
    ...(refusedVersion === null ? {} : { "x-refused-version": refusedVersion }),
  };
}

/** Which model an answer is made with. */
export function modelHeaders(model: Model): Record<string, string> {
  return {
    "x-model-version": model.modelVersion,
    ...(model.golden === null ? {} : { "x-golden-vectors": golden(model.golden) }),
  };
}

/** For whoever checks a deployment: golden vectors replayed, and the largest differences. */
function golden({ cases, features, embedding }: Replay): string {
  return `cases=${cases}; features=${features}; embedding=${embedding}`;
}

/** What a caller is told of an error within. */
function refusal(error: unknown, log: Log): unknown {
  if (error instanceof DatabaseError) {
    log("database_error", { status: error.status, database_code: error.code, call: error.what });
    if (error.code === "busy") return unavailable("overloaded", "Too many requests wait already");
    if (error.passing) return unavailable("database_unavailable", "The database does not answer");
    return new HttpError(500, "internal", "Something went wrong here");
  }
  if (error instanceof PayloadError) {
    log("payload_refused", { reason: error.message });
    return new HttpError(500, "unusable_features", "What is stored of the user cannot be embedded");
  }
  if (error instanceof ReleaseError) {
    log("model_failed", { reason: error.message });
    return unavailable("model_unavailable", "The model cannot answer now");
  }
  return error;
}
