/** What the functions ask of the database, as an interface: handlers know this and not where it leads. */

import type { Experiment } from "./experiments.ts";
import type { Team } from "./team_draft.ts";

/** The live version, as the registry names it. */
export interface LiveRelease {
  readonly modelVersion: string;
  /** Hex SHA-256 of its `manifest.json`. */
  readonly manifestHash: string | null;
}

/** What there is to serve, asked for every so often. */
export interface Registered {
  /** Null before the first release. */
  readonly live: LiveRelease | null;
  readonly running: readonly Experiment[];
  /** Names of running experiments that this code cannot read. */
  readonly unreadable: readonly string[];
}

/** With whose vectors a call is to be answered. */
export interface Version {
  readonly modelVersion: string;
  /** Go on with the version although another is live, because that one cannot be loaded. */
  readonly allowRetired: boolean;
}

/** With the vectors of an experiment's arm, where one is named. */
export interface ArmVersion extends Version {
  /** The experiment that the answer is for: refused once it has stopped. Its arms' versions are served beside the live
   * one. */
  readonly experiment: string | null;
}

/** A user's vector of a version, where it is fresh, and what to make one of. */
export interface UserState {
  /** The database's time, that the payload was read at. ISO 8601. */
  readonly asOf: string;
  readonly payload: unknown;
  readonly stored: { readonly embedding: readonly number[]; readonly updatedAt: string } | null;
}

export interface UserVector {
  readonly embedding: Float32Array;
  /** When its payload was read: `UserState.asOf`. */
  readonly asOf: string;
}

export interface CandidateQuery extends ArmVersion {
  readonly userId: string;
  readonly limit: number;
  readonly bannedTagIds: readonly string[];
  readonly allowedRegions: readonly string[];
  readonly excludeVideoIds: readonly string[];
  readonly maxSafetyLevel: number;
  readonly halfLifeDays: number;
  /** Leave a stored vector aside. */
  readonly refresh: boolean;
  /** The vector to search with, which is also kept; null: the stored one, where it is fresh. */
  readonly vector: UserVector | null;
}

export interface Candidate {
  readonly id: string;
  readonly title: string | null;
  readonly description: string | null;
  readonly external_id: string | null;
  readonly thumbnail_url: string | null;
  readonly product_released_at: string | null;
  readonly price: number | null;
  readonly safety_level: number;
  readonly region_codes: readonly string[];
  readonly tags: readonly string[];
  readonly performers: readonly string[];
  readonly maker: string | null;
  /** Cosine distance to the user's vector; null where the version has no vector of the video. */
  readonly distance: number | null;
  /** Fading LIKEs; null where the videos were found by distance. */
  readonly popularity: number | null;
}

/** Either what to embed first, or the candidates. */
export type Candidates =
  | { readonly found: false; readonly asOf: string; readonly payload: unknown }
  | {
    readonly found: true;
    readonly asOf: string;
    /** Whether the user likes nothing yet, so that the candidates are the popular ones. */
    readonly popular: boolean;
    readonly candidates: readonly Candidate[];
  };

export type Source = "model" | "popular" | "explore";

/** One row of `served_lists`. */
export interface ServedList {
  readonly listId: string;
  readonly userId: string;
  readonly modelVersion: string;
  readonly arm: string;
  readonly experiment: string | null;
  /** Of an interleaved list: whose pick each place is. */
  readonly teams: readonly Team[] | null;
  readonly firstPosition: number;
  readonly videoIds: readonly string[];
  readonly scores: readonly number[];
  readonly sources: readonly Source[];
  readonly propensities: readonly number[];
}

/** Every method rejects with DatabaseError. */
export interface Data {
  registered(): Promise<Registered>;
  userState(userId: string, version: Version, refresh: boolean): Promise<UserState>;
  /** Keep a vector; returns when it is of. */
  storeUserVector(userId: string, version: Version, vector: UserVector): Promise<string>;
  candidates(query: CandidateQuery): Promise<Candidates>;
  logServedLists(lists: readonly ServedList[]): Promise<void>;
  /** Count popularity anew if it was not lately. */
  refreshPopularity(halfLifeDays: number): Promise<void>;
}
