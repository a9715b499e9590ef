/** Both functions behind real HTTP, over real artifacts and a database in memory. */

import { SignJWT } from "jose";
import { aiRecommend, type Dependencies } from "../../infra/supabase/functions/ai-recommend-v5/handler.ts";
import { later } from "../../infra/supabase/functions/_shared/background.ts";
import { identifier } from "../../infra/supabase/functions/_shared/caller.ts";
import { LiveModel } from "../../infra/supabase/functions/_shared/live_model.ts";
import { RateLimit } from "../../infra/supabase/functions/_shared/rate_limit.ts";
import { loader } from "../../infra/supabase/functions/_shared/release.ts";
import { RunningExperiments } from "../../infra/supabase/functions/_shared/running_experiments.ts";
import { typescriptEngine } from "../../infra/supabase/functions/_shared/typescript_engine.ts";
import { embedUser } from "../../infra/supabase/functions/embed-user/handler.ts";
import { MemoryData, video, videoId } from "./memory_data.ts";
import { ArtifactServer, KeptLog, releaseOf, seeded, Server } from "./testing.ts";

const SECRET = "a-shared-secret-of-at-least-32-characters";
export const SERVER_KEY = "sb_secret_server";

export const A = "0a0a0a0a-0000-4000-8000-00000000000a";
export const B = "0b0b0b0b-0000-4000-8000-00000000000b";

// deno-lint-ignore no-explicit-any
export type Body = any;

export class World implements AsyncDisposable {
  readonly artifacts = new ArtifactServer();
  readonly data = new MemoryData();
  readonly kept = new KeptLog();
  readonly live: LiveModel;
  readonly experiments: RunningExperiments;
  readonly #server: Server;
  readonly #background: Promise<unknown>[] = [];
  /** Milliseconds of the functions' own clock. */
  clock = 0;

  constructor(more: Partial<Dependencies> = {}) {
    const { log } = this.kept;
    const now = () => this.clock;
    const load = loader({ url: this.artifacts.url, timeoutMilliseconds: 10_000 }, typescriptEngine, log);
    const common = { load, log, retryMilliseconds: 1000, now };
    this.experiments = new RunningExperiments(common);
    this.live = new LiveModel({
      ...common,
      liveRelease: async () => {
        const { live, running, unreadable } = await this.data.registered();
        this.experiments.follow(running, unreadable);
        return live;
      },
      refreshMilliseconds: 30_000,
    });
    const platform = later((error) => log("internal_error", { error: String(error) }));
    const needs: Dependencies = {
      identify: identifier({
        supabaseUrl: this.artifacts.url,
        serverKeys: [SERVER_KEY],
        jwtSecret: SECRET,
        jwtIssuer: null,
      }),
      live: this.live,
      experiments: this.experiments,
      data: this.data,
      forceLimit: new RateLimit(2, 10, now),
      allowedOrigins: ["*"],
      log,
      now,
      later: (work) =>
        platform(async () => {
          const done = work();
          this.#background.push(done);
          await done;
        }),
      random: seeded(7),
      candidates: 20,
      diversityLambda: 1,
      exploreShare: 0,
      arm: "test",
      ...more,
    };
    const functions = { "embed-user": embedUser(needs), "ai-recommend-v5": aiRecommend(needs) };
    this.#server = new Server((request) => {
      const [, name] = /^\/functions\/v1\/([^/]+)/.exec(new URL(request.url).pathname) ?? [];
      return name === "embed-user" ? functions["embed-user"](request) : functions["ai-recommend-v5"](request);
    });
  }

  async release(version: string): Promise<void> {
    if (this.data.live !== null) this.data.retired.add(this.data.live.modelVersion);
    this.data.live = await releaseOf(version);
  }

  /** Videos 0…count−1, the first the nearest and the most popular. */
  fill(count: number): void {
    this.data.videos = Array.from({ length: count }, (_, number) => video(number));
  }

  decide(userId: string, number: number, like = true): void {
    this.data.decisions.push({ userId, videoId: videoId(number), like, at: this.data.clock });
    this.data.clock += 1;
  }

  async asUser(userId: string): Promise<Record<string, string>> {
    const token = new SignJWT({ role: "authenticated", aud: "authenticated", sub: userId })
      .setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h");
    return { authorization: `Bearer ${await token.sign(new TextEncoder().encode(SECRET))}` };
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.#server.url}/functions/v1/${path}`, init);
  }

  async post(name: string, body: unknown, headers?: Record<string, string>): Promise<Response> {
    const text = body instanceof Uint8Array || typeof body === "string" ? body : JSON.stringify(body);
    return await this.request(name, {
      method: "POST",
      headers: headers ?? { apikey: SERVER_KEY },
      body: text as BodyInit,
    });
  }

  /** A 200's JSON. */
  async answer(name: string, body: unknown, headers?: Record<string, string>): Promise<Body> {
    const response = await this.post(name, body, headers);
    const json = await response.json();
    if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(json)}`);
    return json;
  }

  /** Wait for what is done after answers. */
  async quiet(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    await Promise.allSettled(this.#background);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quiet();
    await this.#server[Symbol.asyncDispose]();
    await this.artifacts[Symbol.asyncDispose]();
  }
}
