/** The experiments that run now, and the models of their arms beside the live one. An arm whose model cannot be had is
 * served by nobody: its users get the live list, which is no exposure, and the function goes on. */

import type { LiveRelease } from "./data.ts";
import { type Arm, armOf, type Experiment, experimentOf } from "./experiments.ts";
import type { Log } from "./log.ts";
import type { Model } from "./model.ts";
import type { RankingChanges } from "./ranking_settings.ts";
import type { Load } from "./release.ts";
import { ReleaseError } from "./release_error.ts";

/** Beside the live one: a function's memory is bounded. The registry starts no experiment that needs more. */
export const MOST_VERSIONS = 4;
/** Longer than any request takes, so that a model is closed when nobody is at it. */
const LEAVE_MILLISECONDS = 30_000;

/** One ranking that a user's list is made of. */
export interface Ranker {
  readonly model: Model;
  readonly changes: RankingChanges;
}

/** What an experiment does to a list. */
export interface Treatment {
  readonly experiment: string;
  /** The arm's name, or `interleaved`. */
  readonly arm: string;
  /** One, or of an interleaved list two: the control's and the arm's. */
  readonly rankers: readonly [Ranker] | readonly [control: Ranker, arm: Ranker];
}

export interface RunningExperimentsSettings {
  readonly load: Load;
  readonly log: Log;
  readonly retryMilliseconds: number;
  readonly now: () => number;
}

interface Held {
  /** Null where it cannot be served. */
  readonly model: Promise<Model | null>;
  failedAt: number | null;
}

export class RunningExperiments {
  readonly #settings: RunningExperimentsSettings;
  #running: readonly Experiment[] = [];
  #held = new Map<string, Held>();
  #leaving: { readonly held: Held; readonly at: number }[] = [];

  constructor(settings: RunningExperimentsSettings) {
    this.#settings = settings;
  }

  /** Take note of what runs; models that no arm needs any more are given back a little later. */
  follow(running: readonly Experiment[], unreadable: readonly string[]): void {
    const { log, now } = this.#settings;
    for (const name of unreadable) log("experiment_unreadable", { experiment: name });
    this.#running = running;
    const wanted = new Set(running.flatMap(({ arms }) => arms.map(({ release }) => release && keyOf(release))));
    for (const [key, held] of this.#held) {
      if (wanted.has(key)) continue;
      this.#held.delete(key);
      this.#leaving.push({ held, at: now() });
    }
    const gone = this.#leaving.filter(({ at }) => now() - at >= LEAVE_MILLISECONDS);
    this.#leaving = this.#leaving.filter((one) => !gone.includes(one));
    for (const { held } of gone) void held.model.then((model) => model?.parts.engine.close());
  }

  /** What a user's list is made with; null: with the live model alone. The first to ask for a model waits for it, since
   * arms that are slower to load would be shown to fewer users.
   * @param live what arms without a version of their own are served by */
  async treatment(userId: string, live: Model): Promise<Treatment | null> {
    const experiment = await experimentOf(this.#running, userId);
    if (experiment === null) return null;
    const interleaved = experiment.kind === "interleaving";
    const arms = interleaved ? experiment.arms : [await armOf(experiment, userId)];
    const rankers = await Promise.all(arms.map((arm) => this.#ranker(arm, live)));
    const name = interleaved ? "interleaved" : arms[0]?.name ?? "";
    const missing = rankers.indexOf(null);
    if (missing >= 0) {
      this.notServed(experiment.name, name, arms[missing]?.release?.modelVersion ?? null, "model_unavailable");
      return null;
    }
    return { experiment: experiment.name, arm: name, rankers: rankers as unknown as Treatment["rankers"] };
  }

  /** Note that a user of an arm got the live list, which does not count as an exposure. */
  notServed(experiment: string, arm: string, modelVersion: string | null, reason: string): void {
    this.#settings.log("arm_not_served", { experiment, arm, model_version: modelVersion, reason, exposure: false });
  }

  async #ranker({ release, ranking }: Arm, live: Model): Promise<Ranker | null> {
    const own = release !== null && release.modelVersion !== live.modelVersion;
    const model = own ? await this.#modelOf(release) : live;
    return model && { model, changes: ranking };
  }

  #modelOf(release: LiveRelease): Promise<Model | null> {
    const { now, retryMilliseconds } = this.#settings;
    const key = keyOf(release);
    const held = this.#held.get(key);
    if (held && (held.failedAt === null || now() - held.failedAt < retryMilliseconds)) return held.model;
    const model = this.#loaded(release, held !== undefined || this.#held.size < MOST_VERSIONS);
    const fresh: Held = { model, failedAt: null };
    this.#held.set(key, fresh);
    void model.then((found) => {
      if (found === null) fresh.failedAt = now();
    });
    return model;
  }

  async #loaded(release: LiveRelease, room: boolean): Promise<Model | null> {
    const { load, log } = this.#settings;
    try {
      if (!room) throw new ReleaseError(`More than ${MOST_VERSIONS} versions beside the live one`);
      return await load(release);
    } catch (error) {
      const known = error instanceof ReleaseError;
      log("arm_refused", {
        model_version: release.modelVersion,
        reason: known ? error.message : error instanceof Error ? error.name : typeof error,
        lasting: known && error.lasting,
      });
      return null;
    }
  }
}

function keyOf({ modelVersion, manifestHash }: LiveRelease): string {
  return `${modelVersion} ${manifestHash}`;
}
