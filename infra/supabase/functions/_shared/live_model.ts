/** The model that answers: the live version's, followed as it moves; the last good one while a newer is unfit. */

import type { LiveRelease } from "./data.ts";
import { type HttpError, unavailable } from "./http_error.ts";
import type { Log } from "./log.ts";
import type { Model } from "./model.ts";
import { DatabaseError } from "./postgrest.ts";
import type { Load } from "./release.ts";
import { ReleaseError } from "./release_error.ts";

const MOST_MOVES = 3;

/** A model to answer with. */
export interface Serving {
  readonly model: Model;
  /** The live version that failed its checks, while an earlier one goes on; null when the model's is the live one. */
  readonly refusedVersion: string | null;
}

export interface LiveModelSettings {
  readonly liveRelease: () => Promise<LiveRelease | null>;
  readonly load: Load;
  readonly log: Log;
  readonly refreshMilliseconds: number;
  /** How soon to try again after a failure. */
  readonly retryMilliseconds: number;
  readonly now: () => number;
}

interface Refused {
  readonly modelVersion: string;
  readonly manifestHash: string | null;
  readonly at: number;
}

/** Follows the live version; asks and loads once, however many wait for it. */
export class LiveModel {
  readonly #settings: LiveModelSettings;
  #model: Model | null = null;
  #before: Model | null = null;
  #refused: Refused | null = null;
  #failure: { readonly error: HttpError; readonly at: number } | null = null;
  #askedAt = -Infinity;
  #asking: Promise<void> | null = null;

  constructor(settings: LiveModelSettings) {
    this.#settings = settings;
  }

  /** The model to answer with. Only the first callers wait for it; later ones are not kept waiting by a look for a
   * newer, since every search says whether its version is still live. */
  async current(): Promise<Serving> {
    if (this.#model === null) {
      await this.#firstTime();
    } else if (this.#due()) {
      void this.#ask();
    }
    return this.#serving();
  }

  /** Look for a newer version than `modelVersion`, which the database says is not live. */
  async newerThan(modelVersion: string): Promise<Serving> {
    if (this.#model?.modelVersion === modelVersion) await this.#ask();
    return this.#serving();
  }

  /** Wait for a look that is under way. */
  async settled(): Promise<void> {
    await this.#asking;
  }

  #serving(): Serving {
    if (this.#model === null) throw this.#failure?.error ?? unavailable("model_unavailable", "No model is loaded");
    return { model: this.#model, refusedVersion: this.#refused?.modelVersion ?? null };
  }

  #due(): boolean {
    return this.#settings.now() - this.#askedAt >= this.#settings.refreshMilliseconds;
  }

  async #firstTime(): Promise<void> {
    const { now, retryMilliseconds } = this.#settings;
    if (this.#failure !== null && now() - this.#failure.at < retryMilliseconds) throw this.#failure.error;
    await this.#ask();
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#follow().catch((error) => {
      // A mistake of our own: nobody waits who could be told, and the model that is there goes on.
      this.#settings.log("model_not_followed", { error: error instanceof Error ? error.name : typeof error });
      this.#fail("model_unavailable", "The live model cannot be loaded now");
    }).finally(() => {
      this.#askedAt = this.#settings.now();
      this.#asking = null;
    });
    return this.#asking;
  }

  /** Ask and load until what is loaded is what is live; it may move meanwhile. */
  async #follow(): Promise<void> {
    for (let move = 0; move < MOST_MOVES; move++) {
      const live = await this.#liveRelease();
      if (live === null || this.#settle(live)) return;
      if (!await this.#take(live)) return;
    }
  }

  async #liveRelease(): Promise<LiveRelease | null> {
    try {
      const live = await this.#settings.liveRelease();
      if (live === null) this.#fail("no_release", "No release is live");
      return live;
    } catch (error) {
      if (!(error instanceof DatabaseError)) throw error;
      this.#settings.log("live_release_unknown", { status: error.status, database_code: error.code });
      this.#fail("database_unavailable", "The database does not answer");
      return null;
    }
  }

  /** Whether nothing is to be loaded: it is loaded, or was refused a moment ago. */
  #settle(live: LiveRelease): boolean {
    if (this.#model?.modelVersion === live.modelVersion) {
      this.#refused = null;
      return true;
    }
    const { now, retryMilliseconds } = this.#settings;
    const refused = this.#refused;
    return refused !== null && refused.modelVersion === live.modelVersion &&
      refused.manifestHash === live.manifestHash && now() - refused.at < retryMilliseconds;
  }

  async #take(live: LiveRelease): Promise<boolean> {
    const { load, log, now } = this.#settings;
    try {
      const model = await load(live);
      // Requests may still be at the one before, so only the one before that is closed.
      const [before, unused] = [this.#model, this.#before];
      [this.#model, this.#before, this.#refused, this.#failure] = [model, before, null, null];
      log("model_live", { model_version: live.modelVersion, before: before?.modelVersion ?? null });
      await unused?.parts.engine.close();
      return true;
    } catch (error) {
      if (!(error instanceof ReleaseError)) throw error;
      this.#refused = { modelVersion: live.modelVersion, manifestHash: live.manifestHash, at: now() };
      log("release_refused", {
        model_version: live.modelVersion,
        serving: this.#model?.modelVersion ?? null,
        reason: error.message,
        lasting: error.lasting,
      });
      this.#fail("model_unavailable", "The live model cannot be loaded now");
      return false;
    }
  }

  #fail(code: string, message: string): void {
    const { now, retryMilliseconds } = this.#settings;
    this.#failure = { error: unavailable(code, message, retryMilliseconds / 1000), at: now() };
  }
}
