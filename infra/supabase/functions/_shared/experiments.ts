/** Experiments as the registry names them, and which arm a user is in: a hash of salt and user, so that nothing is
 * stored and nobody changes arms. SQL and Python compute the same to the last bit. */

import type { LiveRelease } from "./data.ts";
import type { Json } from "./documents.ts";
import { type RankingChanges, readRanking } from "./ranking_settings.ts";
import { ReleaseError } from "./release_error.ts";

export interface Arm {
  readonly name: string;
  readonly weight: number;
  /** What it is served by; null: whatever is live. */
  readonly release: LiveRelease | null;
  readonly ranking: RankingChanges;
}

export interface Experiment {
  readonly name: string;
  /** `interleaving` shows everybody in it both arms' rankings as one list. */
  readonly kind: "arms" | "interleaving";
  readonly salt: string;
  /** Slice of [0, 1) of the users that are in it. */
  readonly from: number;
  readonly until: number;
  /** The control first. */
  readonly arms: readonly Arm[];
}

/** One layer for all experiments: slices that don't overlap share no user. */
const TRAFFIC = "traffic";
const BITS = 52;

/** Where a salt puts a user in [0, 1): the first 52 bits of a SHA-256. */
export async function pointOf(salt: string, userId: string): Promise<number> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${salt}:${userId.toLowerCase()}`));
  const bytes = new DataView(digest);
  return (bytes.getUint32(0) * 2 ** 20 + (bytes.getUint32(4) >>> 12)) / 2 ** BITS;
}

/** The experiment that a user is in; null: none. */
export async function experimentOf(running: readonly Experiment[], userId: string): Promise<Experiment | null> {
  if (running.length === 0) return null;
  const point = await pointOf(TRAFFIC, userId);
  return running.find(({ from, until }) => from <= point && point < until) ?? null;
}

/** The first arm that the user's point is below the running sum of the weights of; the last takes the rest. */
export async function armOf(experiment: Experiment, userId: string): Promise<Arm> {
  const point = await pointOf(experiment.salt, userId);
  let sum = 0;
  const found = experiment.arms.find(({ weight }) => point < (sum += weight));
  return found ?? experiment.arms.at(-1) as Arm;
}

/** Read `get_serving`'s experiments: those that can be read, and the names of the others. */
export function readExperiments(json: Json): { readonly running: Experiment[]; readonly unreadable: string[] } {
  const [running, unreadable]: [Experiment[], string[]] = [[], []];
  for (const one of json.list()) {
    try {
      running.push(readExperiment(one));
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      unreadable.push(String(one.get("name").value));
    }
  }
  return { running, unreadable };
}

function readExperiment(json: Json): Experiment {
  const kind = json.get("kind").text();
  const arms = json.get("arms").list().map(readArm);
  if (kind !== "arms" && kind !== "interleaving") throw new ReleaseError(`${json.where} is of an unknown kind`);
  if (kind === "arms" ? arms.length < 2 : arms.length !== 2) {
    throw new ReleaseError(`${json.where} has ${arms.length} arms`);
  }
  return {
    name: json.get("name").text(),
    kind,
    salt: json.get("salt").text(),
    from: json.get("from").number(),
    until: json.get("until").number(),
    arms,
  };
}

function readArm(json: Json): Arm {
  const [version, hash] = [json.get("model_version"), json.get("manifest_hash")];
  return {
    name: json.get("arm").text(),
    weight: json.get("weight").number(),
    release: version.absent ? null : { modelVersion: version.text(), manifestHash: hash.absent ? null : hash.text() },
    ranking: readRanking(json.get("ranking")),
  };
}
