/** What every function does around its own work: methods, CORS, errors as JSON, and one log line a request. */

import { corsHeaders } from "./cors.ts";
import { HttpError } from "./http_error.ts";
import type { Log } from "./log.ts";

/** A result: its JSON and further headers. */
export interface Answer {
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Endpoint {
  /** Last part of the path. */
  readonly name: string;
  readonly methods: readonly ("GET" | "POST")[];
  readonly allowedOrigins: readonly string[];
  readonly log: Log;
  readonly now: () => number;
  readonly work: (request: Request) => Promise<Answer>;
}

export type Handler = (request: Request) => Promise<Response>;

/** Make the handler of an endpoint: it answers every request and never throws. */
export function endpoint(of: Endpoint): Handler {
  const methods = [...of.methods, "OPTIONS"].join(", ");
  return async (request) => {
    const started = of.now();
    const headers = corsHeaders(request.headers.get("origin"), of.allowedOrigins, methods);
    headers.set("x-request-id", crypto.randomUUID());
    const response = await answered(of, request, headers, methods);
    of.log("request", {
      function: of.name,
      method: request.method,
      status: response.status,
      milliseconds: Math.round(of.now() - started),
      request_id: headers.get("x-request-id"),
    });
    return response;
  };
}

async function answered(of: Endpoint, request: Request, headers: Headers, methods: string): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  try {
    requirePath(of.name, request.url);
    if (!of.methods.some((method) => method === request.method)) {
      throw new HttpError(405, "method_not_allowed", `Use ${of.methods.join(" or ")}`, { allow: methods });
    }
    const answer = await of.work(request);
    return json(200, answer.body, headers, answer.headers);
  } catch (error) {
    if (error instanceof HttpError) {
      return json(error.status, { error: error.message, code: error.code }, headers, error.headers);
    }
    of.log("internal_error", {
      function: of.name,
      request_id: headers.get("x-request-id"),
      error: error instanceof Error ? error.name : typeof error,
      stack: error instanceof Error ? frames(error) : null,
    });
    return json(500, { error: "Something went wrong here", code: "internal" }, headers);
  }
}

function requirePath(name: string, url: string): void {
  if (new URL(url).pathname.replace(/\/$/, "").split("/").at(-1) !== name) {
    throw new HttpError(404, "not_found", `There is nothing here but ${name}`);
  }
}

/** Where it happened, without the message, which may quote what a caller sent. */
function frames(error: Error): string {
  return (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at ")).slice(0, 8).join("\n");
}

function json(status: number, body: unknown, common: Headers, more: Readonly<Record<string, string>> = {}): Response {
  const headers = new Headers(common);
  headers.set("content-type", "application/json; charset=utf-8");
  headers.set("cache-control", "no-store");
  for (const [name, value] of Object.entries(more)) headers.set(name, value);
  return new Response(JSON.stringify(body), { status, headers });
}
