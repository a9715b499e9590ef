/** What the tests share: versions that Python has made, an artifact server with faults to order, and answers read. */

import { strictEqual } from "node:assert/strict";
import type { LiveRelease } from "../../infra/supabase/functions/_shared/data.ts";
import type { Fields, Log } from "../../infra/supabase/functions/_shared/log.ts";

/** Names of the versions' folders under `TWO_TOWER_TEST_VERSIONS`, oldest first: content, content, hybrid. */
export const [CONTENT, NEWER, HYBRID] = [
  "20260301T123000Z-0123456",
  "20260302T123000Z-0123456",
  "20260303T123000Z-0123456",
];

export function testFolder(): string {
  const folder = Deno.env.get("TWO_TOWER_TEST_VERSIONS");
  if (!folder) throw new Error("TWO_TOWER_TEST_VERSIONS is not set: run the tests through pytest");
  return folder;
}

export function fileOf(version: string, path: string): Uint8Array {
  return Deno.readFileSync(`${testFolder()}/${version}/${path}`);
}

export function jsonOf(path: string): unknown {
  return JSON.parse(Deno.readTextFileSync(`${testFolder()}/${path}`));
}

export async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A version as the registry would name it. */
export async function releaseOf(version: string): Promise<LiveRelease> {
  return { modelVersion: version, manifestHash: await sha256(fileOf(version, "manifest.json")) };
}

/** A server on a free port of loopback, as a resource to be used. */
export class Server implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(handler: (request: Request) => Response | Promise<Response>) {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

type Fault = (bytes: Uint8Array) => Response | Promise<Response>;

/** Serves the versions' folders; `faults` answer in place of a path such as `<version>/manifest.json`. */
export class ArtifactServer extends Server {
  readonly faults: Map<string, Fault>;
  /** Paths in the order they were asked for. */
  readonly asked: string[];

  constructor() {
    const faults = new Map<string, Fault>();
    const asked: string[] = [];
    super(async (request) => {
      const path = new URL(request.url).pathname.slice(1);
      asked.push(path);
      try {
        const bytes = await Deno.readFile(`${testFolder()}/${path}`);
        return faults.get(path)?.(bytes) ?? new Response(bytes);
      } catch {
        return new Response("not found", { status: 404 });
      }
    });
    this.faults = faults;
    this.asked = asked;
  }
}

/** A log that keeps what it is told. */
export class KeptLog {
  readonly events: (readonly [event: string, fields: Fields])[] = [];
  readonly log: Log = (event, fields = {}) => {
    this.events.push([event, fields]);
  };

  of(event: string): Fields[] {
    return this.events.filter(([name]) => name === event).map(([, fields]) => fields);
  }

  get text(): string {
    return JSON.stringify(this.events);
  }
}

/** Check an error answer and give its text. */
export async function refused(response: Response, status: number, code: string): Promise<string> {
  const body = await response.json();
  strictEqual(`${response.status} ${body.code}`, `${status} ${code}`, body.error);
  strictEqual(typeof body.error, "string");
  return body.error;
}

/** Numbers from a fixed start, uniform in [0, 1) (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
