/** `Data` in memory, with the rules of the SQL functions: versions are told apart, decided videos never come back. */

import type {
  Candidate,
  CandidateQuery,
  Candidates,
  Data,
  LiveRelease,
  Registered,
  ServedList,
  UserState,
  UserVector,
  Version,
} from "../../infra/supabase/functions/_shared/data.ts";
import type { Experiment } from "../../infra/supabase/functions/_shared/experiments.ts";
import { DatabaseError } from "../../infra/supabase/functions/_shared/postgrest.ts";

export interface Decision {
  readonly userId: string;
  readonly videoId: string;
  readonly like: boolean;
  /** Seconds of the clock below. */
  readonly at: number;
}

const START = Date.UTC(2026, 2, 1);

export class MemoryData implements Data {
  /** Seconds since the start; the database's clock. */
  clock = 1000;
  live: LiveRelease | null = null;
  running: Experiment[] = [];
  /** Versions whose vectors are kept, the live one aside. */
  readonly retired = new Set<string>();
  readonly decisions: Decision[] = [];
  videos: Candidate[] = [];
  readonly vectors = new Map<string, UserVector>();
  readonly served: ServedList[] = [];
  readonly popularityCounts: number[] = [];
  /** Names of the methods called, in order. */
  readonly calls: string[] = [];
  /** Happens before a call is answered, and may raise what a database would. */
  before: (call: string) => void | Promise<void> = () => {};

  time(seconds: number): string {
    return new Date(START + seconds * 1000).toISOString();
  }

  async registered(): Promise<Registered> {
    await this.#called("registered");
    return { live: this.live, running: this.running, unreadable: [] };
  }

  async userState(userId: string, version: Version, refresh: boolean): Promise<UserState> {
    await this.#called("userState");
    this.#requireServable(version);
    const stored = refresh ? null : this.#fresh(userId, version);
    return {
      asOf: this.time(this.clock),
      payload: this.#payload(userId),
      stored: stored === null ? null : { embedding: [...stored.embedding], updatedAt: stored.asOf },
    };
  }

  async storeUserVector(userId: string, version: Version, vector: UserVector): Promise<string> {
    await this.#called("storeUserVector");
    this.#requireServable(version);
    this.vectors.set(`${version.modelVersion} ${userId}`, vector);
    return vector.asOf;
  }

  async candidates(query: CandidateQuery): Promise<Candidates> {
    await this.#called("candidates");
    this.#requireServable(query, query.experiment);
    if (query.vector !== null) this.vectors.set(`${query.modelVersion} ${query.userId}`, query.vector);
    const vector = query.vector ?? (query.refresh ? null : this.#fresh(query.userId, query));
    const asOf = this.time(this.clock);
    if (vector === null) return { found: false, asOf, payload: this.#payload(query.userId) };
    const popular = !this.#known(query.userId).some((decision) => decision.like);
    const admitted = this.#admitted(query).slice(0, query.limit);
    const candidates = admitted.map((video) => ({ ...video, popularity: popular ? video.popularity : null }));
    return { found: true, asOf, popular, candidates };
  }

  async logServedLists(lists: readonly ServedList[]): Promise<void> {
    await this.#called("logServedLists");
    this.served.push(...lists);
  }

  async refreshPopularity(halfLifeDays: number): Promise<void> {
    await this.#called("refreshPopularity");
    this.popularityCounts.push(halfLifeDays);
  }

  async #called(name: string): Promise<void> {
    this.calls.push(name);
    await this.before(name);
  }

  #requireServable(version: Version, experiment: string | null = null): void {
    if (experiment !== null) {
      const running = this.running.find(({ name }) => name === experiment);
      if (running === undefined) throw new DatabaseError(409, "PT409", "does not run");
      if (running.arms.some(({ release }) => release?.modelVersion === version.modelVersion)) return;
    }
    if (version.modelVersion === this.live?.modelVersion) return;
    if (!version.allowRetired) throw new DatabaseError(409, "PT409", "other version");
    if (!this.retired.has(version.modelVersion)) throw new DatabaseError(503, "PT503", "not kept");
  }

  #known(userId: string): Decision[] {
    return this.decisions.filter((decision) => decision.userId === userId && decision.at < this.clock);
  }

  #fresh(userId: string, version: Version): UserVector | null {
    const vector = this.vectors.get(`${version.modelVersion} ${userId}`);
    if (vector === undefined) return null;
    return this.#known(userId).some(({ at }) => this.time(at) >= vector.asOf) ? null : vector;
  }

  #payload(userId: string): unknown {
    const known = this.#known(userId);
    const likes = known.filter((decision) => decision.like);
    const last = likes.length > 0 ? this.time(Math.max(...likes.map(({ at }) => at))) : null;
    return {
      user_id: userId,
      profile: { created_at: this.time(0) },
      decision_stats: {
        like_count: likes.length,
        nope_count: known.length - likes.length,
        decision_count: known.length,
        recent_like_at: last,
        average_like_hour: 12,
      },
      price_stats: { mean: 0, median: 0 },
      tags: likes.flatMap(({ videoId }) => this.videos.find(({ id }) => id === videoId)?.tags ?? []),
      performers: [],
      liked_video_ids: likes.map(({ videoId }) => videoId),
      noped_video_ids: known.filter((decision) => !decision.like).map(({ videoId }) => videoId),
    };
  }

  #admitted(query: CandidateQuery): Candidate[] {
    const decided = new Set(
      this.decisions.filter(({ userId }) => userId === query.userId).map(({ videoId }) => videoId),
    );
    const now = this.time(this.clock);
    return this.videos.filter((video) =>
      !decided.has(video.id) && !query.excludeVideoIds.includes(video.id) &&
      video.safety_level <= query.maxSafetyLevel &&
      (video.product_released_at === null || video.product_released_at < now) &&
      (query.allowedRegions.length === 0 || video.region_codes.length === 0 ||
        video.region_codes.some((region) => query.allowedRegions.includes(region)))
    );
  }
}

/** A video's id by its number. */
export function videoId(number: number): string {
  return `11111111-0000-4000-8000-${number.toString(16).padStart(12, "0")}`;
}

export function video(number: number, more: Partial<Candidate> = {}): Candidate {
  return {
    id: videoId(number),
    title: `Video ${number}`,
    description: null,
    external_id: `x${number}`,
    thumbnail_url: null,
    product_released_at: null,
    price: null,
    safety_level: 0,
    region_codes: [],
    tags: [],
    performers: [],
    maker: null,
    distance: number / 1000,
    popularity: 1 / (number + 1),
    ...more,
  };
}
