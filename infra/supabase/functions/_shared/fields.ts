/** Reading the fields of a request: each is checked, and all that is wrong is said at once. */

import { HttpError } from "./http_error.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LONGEST_TEXT = 64;

export function isUuid(value: unknown): value is string {
  return typeof value === "string" && UUID.test(value);
}

/** The fields of one request. Unknown ones are let be, since clients may be newer; null counts as absent. */
export class Fields {
  readonly #problems: string[] = [];
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(body: unknown) {
    if (typeof body !== "object" || body === null || Array.isArray(body)) {
      throw new HttpError(400, "invalid_request", "The body is not a JSON object");
    }
    this.#values = new Map(Object.entries(body));
  }

  /** A required UUID, in lower case. */
  uuid(name: string): string {
    const value = this.#values.get(name) ?? null;
    if (isUuid(value)) return value.toLowerCase();
    this.#problems.push(value === null ? `${name} is missing` : `${name} is not a UUID`);
    return "";
  }

  boolean(name: string, otherwise: boolean): boolean {
    const value = this.#values.get(name) ?? otherwise;
    if (typeof value === "boolean") return value;
    this.#problems.push(`${name} is neither true nor false`);
    return otherwise;
  }

  integer(name: string, otherwise: number, least: number, most: number): number {
    const value = this.#values.get(name) ?? otherwise;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    this.#problems.push(`${name} is not a whole number from ${least} to ${most}`);
    return otherwise;
  }

  uuids(name: string, most: number): readonly string[] {
    return this.#list(name, most, isUuid, "UUIDs").map((id) => id.toLowerCase());
  }

  texts(name: string, most: number): readonly string[] {
    return this.#list(name, most, isShortText, `texts of at most ${LONGEST_TEXT} characters`);
  }

  /** An optional text that `read` understands; null where it is absent. */
  parsed<T>(name: string, read: (text: string) => T | null): T | null {
    const value = this.#values.get(name) ?? null;
    if (value === null) return null;
    const parsed = typeof value === "string" ? read(value) : null;
    if (parsed === null) this.#problems.push(`${name} is not what an earlier answer gave`);
    return parsed;
  }

  /** Refuse the request if anything was wrong. */
  done(): void {
    if (this.#problems.length > 0) throw new HttpError(400, "invalid_request", this.#problems.join("; "));
  }

  #list(name: string, most: number, fits: (value: unknown) => value is string, what: string): readonly string[] {
    const value = this.#values.get(name) ?? [];
    if (Array.isArray(value) && value.length <= most && value.every(fits)) return value;
    this.#problems.push(`${name} is not a list of at most ${most} ${what}`);
    return [];
  }
}

function isShortText(value: unknown): value is string {
  // Postgres holds no NUL, and UTF-8 no half of a surrogate pair.
  return typeof value === "string" && value.length <= LONGEST_TEXT && !value.includes("\0") && value.isWellFormed();
}
