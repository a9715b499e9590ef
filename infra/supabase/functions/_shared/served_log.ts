/** Writing down served lists: one insert at a time, and whatever comes meanwhile goes together into the next. Alone, a
 * list is written at once; under load a hundred cost little more than one. */

import type { ServedList } from "./data.ts";

export class ServedLog {
  #waiting: ServedList[] = [];
  #next: Promise<void> | null = null;
  #now: Promise<void> = Promise.resolve();

  constructor(readonly write: (lists: readonly ServedList[]) => Promise<void>) {}

  /** Resolves when the list is written; rejects as its insert did. */
  add(list: ServedList): Promise<void> {
    this.#waiting.push(list);
    this.#next ??= this.#now.then(() => this.#writeWaiting());
    return this.#next;
  }

  #writeWaiting(): Promise<void> {
    const lists = this.#waiting;
    [this.#waiting, this.#next] = [[], null];
    const written = this.write(lists);
    // Who added them is told; the next ones are written all the same.
    this.#now = written.catch(() => undefined);
    return written;
  }
}
