/** Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): the next video is good, and not the same again. */

/** What makes two videos alike. */
export interface Described {
  readonly maker: string | null;
  readonly tags: readonly string[];
}

/** A video with its score. */
export interface Scored<T extends Described> {
  readonly video: T;
  readonly score: number;
}

const MAKER_SHARE = 0.5;

/**
 * The first `limit` of λ · relevance − (1 − λ) · likeness to the most alike that stands before. Relevance is the score
 * between the least (0) and the greatest (1) of all; likeness is half the same maker and half the share of common tags.
 * @param lambda 1 sorts by score alone; equals keep their order
 */
export function diversified<T extends Described>(
  candidates: readonly Scored<T>[],
  limit: number,
  lambda: number,
): Scored<T>[] {
  const sorted = candidates.toSorted((a, b) => b.score - a.score);
  if (lambda >= 1) return sorted.slice(0, limit);
  const relevance = relevances(sorted);
  const traits = traitsOf(sorted);
  const left = sorted.map((_, place) => place);
  const likeness = new Float64Array(sorted.length);
  const chosen: Scored<T>[] = [];
  while (chosen.length < limit && left.length > 0) {
    const at = best(left, (place) => lambda * at0(relevance, place) - (1 - lambda) * at0(likeness, place));
    const [place = 0] = left.splice(at, 1);
    chosen.push(sorted[place] as Scored<T>);
    for (const other of left) {
      likeness[other] = Math.max(at0(likeness, other), alike(traits[place] as Traits, traits[other] as Traits));
    }
  }
  return chosen;
}

interface Traits {
  readonly maker: string | null;
  /** Ascending numbers of the different tags. */
  readonly tags: readonly number[];
}

function at0(values: ArrayLike<number>, place: number): number {
  return values[place] ?? 0;
}

function relevances(sorted: readonly { readonly score: number }[]): Float64Array {
  const [most, least] = [sorted[0]?.score ?? 0, sorted.at(-1)?.score ?? 0];
  return Float64Array.from(sorted, ({ score }) => most > least ? (score - least) / (most - least) : 1);
}

/** The index of the first greatest value. */
function best(places: readonly number[], value: (place: number) => number): number {
  let [at, greatest] = [0, -Infinity];
  places.forEach((place, index) => {
    const found = value(place);
    if (found > greatest) [at, greatest] = [index, found];
  });
  return at;
}

function traitsOf(candidates: readonly Scored<Described>[]): Traits[] {
  const numbers = new Map<string, number>();
  const numberOf = (tag: string): number => {
    const number = numbers.get(tag) ?? numbers.size;
    numbers.set(tag, number);
    return number;
  };
  return candidates.map(({ video }) => ({
    maker: video.maker,
    tags: [...new Set(video.tags.map(numberOf))].sort((a, b) => a - b),
  }));
}

function alike(a: Traits, b: Traits): number {
  const maker = a.maker !== null && a.maker === b.maker ? MAKER_SHARE : 0;
  const common = commonOf(a.tags, b.tags);
  const all = a.tags.length + b.tags.length - common;
  return maker + (all === 0 ? 0 : (1 - MAKER_SHARE) * common / all);
}

/** How many numbers two ascending lists share. */
function commonOf(a: readonly number[], b: readonly number[]): number {
  let [i, j, common] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] as number, b[j] as number];
    if (x === y) common++;
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return common;
}
