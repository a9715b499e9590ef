/** A small stack behind one URL: PostgREST's paths, both functions and the demo, each the real one.
 * Prints its URL as its first line. */

import { demo } from "../../infra/local/gateway/demo.ts";
import { readDemoSettings } from "../../infra/local/gateway/demo_settings.ts";
import { readEnvironment } from "../../infra/supabase/functions/_shared/environment.ts";
import { wire } from "../../infra/supabase/functions/_shared/wiring.ts";
import { aiRecommend } from "../../infra/supabase/functions/ai-recommend-v5/handler.ts";
import { embedUser } from "../../infra/supabase/functions/embed-user/handler.ts";

type Route = (request: Request) => Promise<Response> | undefined;

const NOT_FOUND = 404;
const BAD_GATEWAY = 503;
let routes: readonly Route[] = [];

const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => undefined }, async (request) => {
  for (const route of routes) {
    const response = route(request);
    if (response !== undefined) return await response;
  }
  return Response.json({ message: "There is nothing here" }, { status: NOT_FOUND });
});

const url = `http://127.0.0.1:${server.addr.port}`;
const variables = (name: string): string | undefined => name === "SUPABASE_URL" ? url : Deno.env.get(name);
const environment = readEnvironment(variables);
const parts = await wire(environment, () => undefined);
const { candidates, diversityLambda, exploreShare, arm } = environment;
const recommend = aiRecommend({ ...parts, candidates, diversityLambda, exploreShare, arm });
const embed = embedUser(parts);
const answerDemo = demo(readDemoSettings(variables));

routes = [
  (request) => /^\/demo(\/|$)/.test(new URL(request.url).pathname) ? answerDemo(request) : undefined,
  (request) => at(request, "/functions/v1/ai-recommend-v5") ? recommend(request) : undefined,
  (request) => at(request, "/functions/v1/embed-user") ? embed(request) : undefined,
  rest(required("POSTGREST_URL")),
];
console.log(url);

function rest(postgrest: string): Route {
  return (request) => {
    const { pathname, search } = new URL(request.url);
    if (!pathname.startsWith("/rest/v1/")) return undefined;
    const { method, headers, body } = request;
    const forwarded = fetch(`${postgrest}${pathname.slice("/rest/v1".length)}${search}`, { method, headers, body });
    return forwarded.catch(() => Response.json({ message: "PostgREST does not answer" }, { status: BAD_GATEWAY }));
  };
}

function at(request: Request, path: string): boolean {
  return new URL(request.url).pathname === path;
}

function required(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}
