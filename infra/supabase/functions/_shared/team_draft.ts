/** Two rankings shown as one list, so that each person judges both: team-draft interleaving (Radlinski, Kurup and
 * Joachims, CIKM 2008, section 5.2). Python's `experiments.interleaving` picks the same by the same coin. */

export type Team = "control" | "arm";

export interface Picked<T> {
  readonly item: T;
  /** Whose ranking picked it, and gets the credit of a LIKE. */
  readonly team: Team;
  /** Chance that this item stood here, given the items before. */
  readonly propensity: number;
}

/**
 * Let both rankings pick in turns, each its best item that is not picked yet.
 * @param control best first, without repetitions; so is `arm`
 * @param armFirst a fair coin, thrown each round
 */
export function teamDraft<T>(
  control: readonly T[],
  arm: readonly T[],
  length: number,
  key: (item: T) => string,
  armFirst: () => boolean,
): Picked<T>[] {
  const picked: Picked<T>[] = [];
  const taken = new Set<string>();
  const best = (team: Team): T | undefined => (team === "arm" ? arm : control).find((item) => !taken.has(key(item)));
  while (picked.length < length) {
    const order: readonly Team[] = armFirst() ? ["arm", "control"] : ["control", "arm"];
    const before = picked.length;
    // Once the items tell who began, nothing of the round is left to chance.
    let told = false;
    for (const team of order) {
      const item = best(team);
      if (item === undefined || picked.length >= length) continue;
      const other = best(team === "arm" ? "control" : "arm");
      const certain: boolean = told || other === undefined || key(other) === key(item);
      taken.add(key(item));
      picked.push({ item, team, propensity: certain ? 1 : 0.5 });
      told ||= !certain;
    }
    if (picked.length === before) break;
  }
  return picked;
}
