/** A bound on what happens at once, so that a slow database meets a short queue and not every request there is. */

/** No slot became free in time, or too many wait already. */
export class NoSlotError extends Error {
  override readonly name = "NoSlotError";
}

interface Waiting {
  readonly go: () => void;
}

/** Up to `size` runs at once; up to `waiting` more wait their turn, first come first served. */
export class Slots {
  #free: number;
  readonly #queue = new Set<Waiting>();

  constructor(size: number, readonly waiting = 2000) {
    this.#free = size;
  }

  /** Run when a slot is free; rejects with NoSlotError when `signal` aborts first. */
  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    try {
      return await work();
    } finally {
      this.#give();
    }
  }

  #take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve();
    }
    if (this.#queue.size >= this.waiting || signal.aborted) return Promise.reject(new NoSlotError());
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.delete(place);
        reject(new NoSlotError());
      };
      const place: Waiting = {
        go: () => {
          signal.removeEventListener("abort", giveUp);
          resolve();
        },
      };
      this.#queue.add(place);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  }

  #give(): void {
    for (const next of this.#queue) {
      this.#queue.delete(next);
      next.go();
      return;
    }
    this.#free++;
  }
}
