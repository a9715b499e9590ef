/** A small client of PostgREST over fetch: two kinds of call are all that the functions make, and a library for more
 * would cost more to load than everything else together. */

import { NoSlotError, type Slots } from "./slots.ts";

/** The database refuses or does not answer. `code` is Postgres's or PostgREST's, empty when there was no answer. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";

  constructor(readonly status: number, readonly code: string, readonly what: string) {
    super(`${what}: ${status} ${code}`);
  }

  /** Whether it is a passing state of the database rather than something wrong with the call. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  /** Whether a function raised `PT409`: the version asked with is not the live one. */
  get otherVersion(): boolean {
    return this.code === "PT409" || (this.code === "" && this.status === 409);
  }
}

/** Of a call's time, for waiting: who gets a slot must have time left to use it, or under load every call is begun
 * just before it is given up. */
const WAITING_SHARE = 0.5;

export interface PostgrestSettings {
  readonly supabaseUrl: string;
  readonly key: string;
  readonly timeoutMilliseconds: number;
  readonly slots: Slots;
}

export class Postgrest {
  readonly #settings: PostgrestSettings;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(settings: PostgrestSettings) {
    this.#settings = settings;
    // A key of the newer kind is no token: the gateway makes one of it. The older kind is.
    const token: Record<string, string> = settings.key.startsWith("sb_")
      ? {}
      : { authorization: `Bearer ${settings.key}` };
    this.#headers = { apikey: settings.key, "content-type": "application/json", ...token };
  }

  /** Call a function and return its JSON. */
  async call(name: string, body: Readonly<Record<string, unknown>>): Promise<unknown> {
    const text = await this.#post(`rpc/${name}`, body, {});
    try {
      return JSON.parse(text);
    } catch {
      throw new DatabaseError(0, "", `${name} answered what is no JSON`);
    }
  }

  /** Insert rows, each unless one with its key is there. */
  async insertOnce(table: string, key: string, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await this.#post(`${table}?on_conflict=${key}`, rows, { prefer: "resolution=ignore-duplicates,return=minimal" });
  }

  async #post(path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<string> {
    const { supabaseUrl, timeoutMilliseconds, slots } = this.#settings;
    const signal = AbortSignal.timeout(timeoutMilliseconds);
    const waiting = AbortSignal.timeout(timeoutMilliseconds * WAITING_SHARE);
    try {
      return await slots.run(waiting, async () => {
        const response = await fetch(`${supabaseUrl}/rest/v1/${path}`, {
          method: "POST",
          headers: { ...this.#headers, ...headers },
          body: JSON.stringify(body),
          signal,
        });
        const text = await response.text();
        if (!response.ok) throw new DatabaseError(response.status, codeOf(text), path);
        return text;
      });
    } catch (error) {
      if (error instanceof DatabaseError) throw error;
      if (error instanceof NoSlotError) throw new DatabaseError(0, "busy", path);
      // A refused connection is a TypeError, a timeout a DOMException; neither says more that anyone could use.
      if (error instanceof TypeError || error instanceof DOMException) throw new DatabaseError(0, "", path);
      throw error;
    }
  }
}

function codeOf(text: string): string {
  try {
    const code: unknown = JSON.parse(text).code;
    return typeof code === "string" ? code : "";
  } catch {
    return "";
  }
}
