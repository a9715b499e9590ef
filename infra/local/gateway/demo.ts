/** `/demo`: a page that shows a person's likes beside their recommendations, for trying the local stack out.
 *
 * It hands out tokens of anybody in the list, so it is for this machine alone: it answers only requests that name a
 * loopback host, which a page from elsewhere cannot, not even by pointing a name of its own at this machine. The
 * service key and the secret stay on this side; a browser gets a token that lasts minutes. */

import { demoFile } from "./demo_files.ts";
import { PeopleError, type Person, personCounts, samplePeople } from "./demo_people.ts";
import type { DemoSettings } from "./demo_settings.ts";
import { userToken } from "./demo_token.ts";

const MOST_PEOPLE = 11;
const TOKEN_SECONDS = 600;
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/** Make the handler of everything under `/demo`. */
export function demo(settings: DemoSettings): (request: Request) => Promise<Response> {
  const offer = { newcomer: crypto.randomUUID(), offered: new Set<string>() };
  return (request) => answer(settings, request.method, new URL(request.url), offer);
}

interface Offer {
  /** Somebody who has decided nothing when the server starts. */
  readonly newcomer: string;
  /** Whose tokens may be asked for. */
  readonly offered: Set<string>;
}

async function answer(settings: DemoSettings, method: string, url: URL, offer: Offer): Promise<Response> {
  if (!LOOPBACK.has(url.hostname)) return refusal(403, "loopback_only", "The demo answers on this machine alone");
  if (method !== "GET") return refusal(405, "method_not_allowed", "Use GET", { allow: "GET" });
  const name = url.pathname.slice("/demo".length).replace(/^\//, "");
  if (name === "users" || name === "session") {
    try {
      return name === "users" ? json(200, await people(settings, offer)) : await session(settings, url, offer);
    } catch (error) {
      if (error instanceof PeopleError) return refusal(503, "database_unavailable", error.message);
      throw error;
    }
  }
  return await demoFile(settings.files, name === "" ? "index.html" : name) ??
    refusal(404, "not_found", "There is no such page in the demo");
}

async function people(settings: DemoSettings, { newcomer, offered }: Offer): Promise<{ users: unknown[] }> {
  const [known, fresh] = await Promise.all([samplePeople(settings, MOST_PEOPLE), personCounts(settings, newcomer)]);
  const users = [...known.filter(({ userId }) => userId !== newcomer), fresh];
  users.forEach(({ userId }) => offered.add(userId));
  return { users: users.map((person: Person) => ({ ...person, newcomer: person.userId === newcomer })) };
}

async function session(settings: DemoSettings, url: URL, offer: Offer): Promise<Response> {
  const userId = url.searchParams.get("user")?.toLowerCase() ?? "";
  // After a restart, a page that was open goes on.
  if (!offer.offered.has(userId)) await people(settings, offer);
  if (!offer.offered.has(userId)) return refusal(404, "unknown_user", "The demo does not offer this user");
  const { token, expiresAt } = await userToken(
    settings.jwtSecret,
    userId,
    Math.floor(settings.now() / 1000),
    TOKEN_SECONDS,
  );
  return json(200, { userId, token, expiresAt, anonKey: settings.anonKey });
}

function refusal(status: number, code: string, error: string, headers: Record<string, string> = {}): Response {
  return json(status, { error, code }, headers);
}

function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  return Response.json(body, {
    status,
    headers: {
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      ...headers,
    },
  });
}
