/** Whom the demo can be looked at as: a few of the people in the database, from many likes to few, and somebody new. */

/** One person to choose. Counts are of decisions until now. */
export interface Person {
  readonly userId: string;
  /** Null where the profile names nobody. */
  readonly name: string | null;
  readonly likes: number;
  readonly nopes: number;
}

export interface PeopleSource {
  /** Base of the project's paths, without a slash at its end. */
  readonly supabaseUrl: string;
  readonly serviceKey: string;
  readonly timeoutMilliseconds: number;
}

/** The database does not say who there is. Its text names nothing internal. */
export class PeopleError extends Error {
  override readonly name = "PeopleError";
}

const LOOKED_AT = 120;

/** Read people with decisions and choose at most `most` of them, evenly along the number of their likes. */
export async function samplePeople(source: PeopleSource, most: number): Promise<Person[]> {
  const rows = await asked(source, "rpc/get_user_embedding_feature_batch", {
    method: "POST",
    body: JSON.stringify({ p_limit: LOOKED_AT }),
  });
  const people = spread(rows.map(personOf).sort((a, b) => b.likes - a.likes), most);
  const names = await namesOf(source, people.map(({ userId }) => userId));
  return people.map((person) => ({ ...person, name: names.get(person.userId) ?? null }));
}

/** What a person has decided so far, who may have decided nothing. */
export async function personCounts(source: PeopleSource, userId: string): Promise<Person> {
  const [payload] = await asked(source, "rpc/get_user_embedding_features", {
    method: "POST",
    body: JSON.stringify({ user_id: userId }),
  });
  return personOf({ user_id: userId, payload });
}

/** `most` members of a list, its first and last among them. */
export function spread<Member>(list: readonly Member[], most: number): Member[] {
  if (list.length <= most) return [...list];
  const step = (list.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, place) => list.slice(Math.round(place * step))[0]).filter(
    (member) => member !== undefined,
  );
}

async function namesOf(source: PeopleSource, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await asked(source, `profiles?select=user_id,display_name&user_id=in.(${ids.join(",")})`, {});
  const named = rows.map((row) => [String(member(row, "user_id")), member(row, "display_name")] as const);
  return new Map(named.filter((pair): pair is readonly [string, string] => typeof pair[1] === "string"));
}

async function asked(source: PeopleSource, path: string, init: RequestInit): Promise<unknown[]> {
  const headers = {
    apikey: source.serviceKey,
    authorization: `Bearer ${source.serviceKey}`,
    "content-type": "application/json",
  };
  const signal = AbortSignal.timeout(source.timeoutMilliseconds);
  try {
    const response = await fetch(`${source.supabaseUrl}/rest/v1/${path}`, { ...init, headers, signal });
    const text = await response.text();
    if (!response.ok) throw new PeopleError(`The database answers with ${response.status}`);
    const json: unknown = JSON.parse(text);
    return Array.isArray(json) ? json : [json];
  } catch (error) {
    if (error instanceof PeopleError) throw error;
    if (error instanceof TypeError || error instanceof DOMException || error instanceof SyntaxError) {
      throw new PeopleError("The database does not answer");
    }
    throw error;
  }
}

function personOf(row: unknown): Person {
  const stats = member(member(row, "payload"), "decision_stats");
  return {
    userId: String(member(row, "user_id")),
    name: null,
    likes: Number(member(stats, "like_count") ?? 0),
    nopes: Number(member(stats, "nope_count") ?? 0),
  };
}

function member(of: unknown, name: string): unknown {
  return typeof of === "object" && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}
