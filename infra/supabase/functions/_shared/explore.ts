/** A small share of places goes to videos that would not have been shown, with the chance of each on record: without
 * it nothing could ever be learned about what the model does not already show. */

/** An entry of the list that is served. */
export interface Placed<T> {
  readonly item: T;
  readonly explored: boolean;
  /** Chance that this item stood here, given the places before. */
  readonly propensity: number;
}

/**
 * Fill up to `chosen.length` places: each is, with chance `share`, one of the `others`, all alike, else the next chosen.
 * @param random uniform in [0, 1)
 */
export function explored<T>(
  chosen: readonly T[],
  others: readonly T[],
  share: number,
  random: () => number,
): Placed<T>[] {
  const pool = [...others];
  let next = 0;
  return chosen.map(() => {
    const chance = pool.length > 0 ? share : 0;
    if (random() < chance) {
      const propensity = chance / pool.length;
      const [item] = pool.splice(Math.floor(random() * pool.length), 1);
      return { item: item as T, explored: true, propensity };
    }
    return { item: chosen[next++] as T, explored: false, propensity: 1 - chance };
  });
}
