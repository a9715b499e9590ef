/** What `ai-recommend-v5` does when it has answered: nobody waits for it, and no answer depends on it. */

import type { Later } from "../_shared/background.ts";
import type { Data, ServedList } from "../_shared/data.ts";
import type { Log } from "../_shared/log.ts";
import { DatabaseError } from "../_shared/postgrest.ts";
import { ServedLog } from "../_shared/served_log.ts";

const POPULARITY_MILLISECONDS = 60_000;

export interface AfterwardsNeeds {
  readonly data: Data;
  readonly log: Log;
  readonly now: () => number;
  /** Does work after the answer. */
  readonly later: Later;
}

export class Afterwards {
  readonly #needs: AfterwardsNeeds;
  readonly #served: ServedLog;
  #popularityAskedAt = -Infinity;

  constructor(needs: AfterwardsNeeds) {
    this.#needs = needs;
    this.#served = new ServedLog((lists) => needs.data.logServedLists(lists));
  }

  /** Write down what was shown, if anything was. */
  served(list: ServedList): void {
    if (list.videoIds.length > 0) this.#do("served_list_lost", () => this.#served.add(list));
  }

  /** Have popularity counted anew, at most once a minute; the database decides whether it is time. */
  popularShown(halfLifeDays: number): void {
    const now = this.#needs.now();
    if (now - this.#popularityAskedAt < POPULARITY_MILLISECONDS) return;
    this.#popularityAskedAt = now;
    this.#do("popularity_not_counted", () => this.#needs.data.refreshPopularity(halfLifeDays));
  }

  #do(failure: string, work: () => Promise<void>): void {
    this.#needs.later(async () => {
      try {
        await work();
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        this.#needs.log(failure, { status: error.status, database_code: error.code });
      }
    });
  }
}
