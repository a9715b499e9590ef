/** One engine in a fresh process: what it costs to start and to run, as one line of JSON.
 * Arguments: engine, URL beside which the versions lie, model version, hash of its manifest. */

import type { EngineKind } from "../../infra/supabase/functions/_shared/engine.ts";
import { MOST_VERSIONS } from "../../infra/supabase/functions/_shared/running_experiments.ts";
import { loader } from "../../infra/supabase/functions/_shared/release.ts";

const RUNS = 2000;

const [name = "", url = "", modelVersion = "", manifestHash = ""] = Deno.args;
const module: Record<string, EngineKind> = await import(`../../infra/supabase/functions/_shared/${name}_engine.ts`);
const kind = module[`${name}Engine`];
if (kind === undefined) throw new Error(`There is no engine ${name}`);

/** MiB of memory that were resident at most until now; null where the system does not tell. */
function peakMib(): number | null {
  if (Deno.build.os !== "linux") return null;
  const kib = Deno.readTextFileSync("/proc/self/status").match(/^VmHWM:\s+(\d+) kB$/m)?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

let loaded: Record<string, unknown> = {};
const load = loader({ url, timeoutMilliseconds: 30_000 }, kind, (_event, fields) => {
  loaded = { ...fields };
});
const model = await load({ modelVersion, manifestHash });
const coldMilliseconds = performance.now();
const coldPeakMib = peakMib();

const golden = await (await fetch(`${url}/${modelVersion}/golden_vectors.json`)).json();
const { payload, as_of } = golden.cases[2];
const times: number[] = [];
for (let run = 0; run < RUNS; run++) {
  const started = performance.now();
  await model.embed(payload, as_of);
  times.push(performance.now() - started);
}
times.sort((a, b) => a - b);
const megabytes = Deno.memoryUsage().rss / 1e6;
const mostMib = peakMib();
const arms = [];
for (let version = 0; version < MOST_VERSIONS; version++) {
  const arm = await load({ modelVersion, manifestHash });
  await arm.embed(payload, as_of);
  arms.push(arm);
}
console.log(JSON.stringify({
  engine: name,
  deno: Deno.version.deno,
  cold_milliseconds: coldMilliseconds,
  cold_peak_mib: coldPeakMib,
  load_milliseconds: loaded["milliseconds"],
  warm_milliseconds: times[RUNS / 2],
  warm_p99_milliseconds: times[Math.floor(RUNS * 0.99)],
  megabytes,
  peak_mib: mostMib,
  versions: 1 + arms.length,
  megabytes_with_arms: Deno.memoryUsage().rss / 1e6,
  peak_mib_with_arms: peakMib(),
  bytes_fetched: loaded["bytes"],
  largest_feature_difference: loaded["largest_feature_difference"],
  largest_embedding_difference: loaded["largest_embedding_difference"],
}));
