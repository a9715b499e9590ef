/** How often one user may ask for something dear. Counted in this process: a deployment with several instances
 * allows each of them so much, which bounds what one user can make the project pay for. */

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets, one a key; the longest unused are forgotten first. */
export class RateLimit {
  readonly #buckets = new Map<string, Bucket>();

  constructor(
    readonly burst: number,
    readonly intervalSeconds: number,
    readonly now: () => number = Date.now,
    readonly keys = 10_000,
  ) {}

  /** Take one token; returns 0, or the seconds until there is one. */
  take(key: string): number {
    const now = this.now();
    const known = this.#buckets.get(key);
    const refilled = known ? known.tokens + (now - known.at) / 1000 / this.intervalSeconds : this.burst;
    const tokens = Math.min(this.burst, refilled);
    const allowed = tokens >= 1;
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > this.keys) this.#forgetOldest();
    return allowed ? 0 : (1 - tokens) * this.intervalSeconds;
  }

  #forgetOldest(): void {
    for (const key of this.#buckets.keys()) {
      this.#buckets.delete(key);
      return;
    }
  }
}
