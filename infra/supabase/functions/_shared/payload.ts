/** The payload of `get_user_embedding_features`: read strictly, so that what Python refuses is refused here too. */

import { parseMoment } from "./moments.ts";

const MOST_VIDEO_IDS = 1000;
const HOUR_WITHOUT_LIKES = 12;

export interface UserPayload {
  /** Microseconds since 1970. */
  readonly createdAt: number | null;
  readonly likeCount: number;
  readonly nopeCount: number;
  readonly decisionCount: number;
  /** Microseconds since 1970. */
  readonly recentLikeAt: number | null;
  readonly averageLikeHour: number | null;
  readonly meanPrice: number | null;
  readonly medianPrice: number | null;
  /** Lists of names by the payload's key: `tags`, `performers`, `liked_video_ids`, `noped_video_ids`. */
  readonly names: ReadonlyMap<string, readonly string[]>;
}

/** The payload is not what the contract says. */
export class PayloadError extends Error {
  override readonly name = "PayloadError";
}

type Row = Readonly<Record<string, unknown>>;

/** Read a payload. Keys may be missing, and unknown ones are let be; a value of another type is refused. */
export function parsePayload(value: unknown): UserPayload {
  const payload = object(value, "the payload");
  if (typeof payload["user_id"] !== "string") throw new PayloadError("user_id is not a text");
  const profile = part(payload, "profile");
  const stats = part(payload, "decision_stats");
  const prices = part(payload, "price_stats");
  return {
    createdAt: moment(profile, "created_at"),
    likeCount: count(stats, "like_count"),
    nopeCount: count(stats, "nope_count"),
    decisionCount: count(stats, "decision_count"),
    recentLikeAt: moment(stats, "recent_like_at"),
    averageLikeHour: stats["average_like_hour"] === undefined
      ? HOUR_WITHOUT_LIKES
      : number(stats, "average_like_hour"),
    meanPrice: number(prices, "mean"),
    medianPrice: number(prices, "median"),
    names: new Map([
      ["tags", names(payload, "tags", Infinity)],
      ["performers", names(payload, "performers", Infinity)],
      ["liked_video_ids", names(payload, "liked_video_ids", MOST_VIDEO_IDS)],
      ["noped_video_ids", names(payload, "noped_video_ids", MOST_VIDEO_IDS)],
    ]),
  };
}

function object(value: unknown, name: string): Row {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new PayloadError(`${name} is not an object`);
  }
  return value as Row;
}

function part(payload: Row, name: string): Row {
  const value = payload[name];
  return value === undefined ? {} : object(value, name);
}

function count(row: Row, name: string): number {
  const value = row[name] === undefined ? 0 : row[name];
  if (typeof value !== "number" || !Number.isInteger(value)) throw new PayloadError(`${name} is not a whole number`);
  return value;
}

function number(row: Row, name: string): number | null {
  const value = row[name] ?? null;
  if (value !== null && typeof value !== "number") throw new PayloadError(`${name} is not a number`);
  return value;
}

function moment(row: Row, name: string): number | null {
  const value = row[name] ?? null;
  const microseconds = typeof value === "string" ? parseMoment(value) : null;
  if (value !== null && microseconds === null) throw new PayloadError(`${name} is not a time`);
  return microseconds;
}

function names(row: Row, name: string, most: number): readonly string[] {
  const value = row[name] === undefined ? [] : row[name];
  if (!Array.isArray(value) || value.length > most || !value.every((item) => typeof item === "string")) {
    throw new PayloadError(`${name} is not a list of ${most === Infinity ? "" : `at most ${most} `}texts`);
  }
  return value;
}
