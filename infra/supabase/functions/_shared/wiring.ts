/** From a deployment's environment to what the handlers are given; the only place that knows all the parts. */

import { type Later, later } from "./background.ts";
import { identifier, type Identify } from "./caller.ts";
import type { Data } from "./data.ts";
import { Database } from "./database.ts";
import type { EngineKind } from "./engine.ts";
import type { EngineName, Environment } from "./environment.ts";
import { LiveModel } from "./live_model.ts";
import type { Log } from "./log.ts";
import { Postgrest } from "./postgrest.ts";
import { RateLimit } from "./rate_limit.ts";
import { loader } from "./release.ts";
import { RunningExperiments } from "./running_experiments.ts";
import { Slots } from "./slots.ts";
import { typescriptEngine } from "./typescript_engine.ts";

const RETRY_MILLISECONDS = 1000;

export interface Parts {
  readonly identify: Identify;
  readonly live: LiveModel;
  readonly experiments: RunningExperiments;
  readonly data: Data;
  readonly forceLimit: RateLimit;
  readonly allowedOrigins: readonly string[];
  readonly log: Log;
  readonly now: () => number;
  readonly later: Later;
  readonly random: () => number;
}

export async function wire(environment: Environment, log: Log): Promise<Parts> {
  const data = new Database(
    new Postgrest({
      supabaseUrl: environment.supabaseUrl,
      key: environment.serviceKey,
      timeoutMilliseconds: environment.databaseTimeoutSeconds * 1000,
      slots: new Slots(environment.databaseConcurrency),
    }),
  );
  const artifacts = { url: environment.artifactsUrl, timeoutMilliseconds: environment.artifactTimeoutSeconds * 1000 };
  const load = loader(artifacts, await engineKind(environment.engine), log);
  const common = { load, log, retryMilliseconds: RETRY_MILLISECONDS, now: Date.now };
  const experiments = new RunningExperiments(common);
  const live = new LiveModel({
    ...common,
    liveRelease: async () => {
      const { live, running, unreadable } = await data.registered();
      experiments.follow(running, unreadable);
      return live;
    },
    refreshMilliseconds: environment.modelRefreshSeconds * 1000,
  });
  return {
    identify: identifier(environment),
    live,
    experiments,
    data,
    forceLimit: new RateLimit(environment.forceBurst, environment.forceIntervalSeconds),
    allowedOrigins: environment.allowedOrigins,
    log,
    now: Date.now,
    later: later((error) => log("internal_error", { error: error instanceof Error ? error.name : typeof error })),
    random: Math.random,
  };
}

/** onnxruntime-web's package is larger than a function may be, and a bundler takes along whatever is imported by a
 * constant name. A hosted deployment that wants `wasm` imports `wasm_engine.ts` here by its name instead. */
async function engineKind(name: EngineName): Promise<EngineKind> {
  if (name === "typescript") return typescriptEngine;
  const module: { wasmEngine: EngineKind } = await import(`./${name}_engine.ts`);
  return module.wasmEngine;
}
