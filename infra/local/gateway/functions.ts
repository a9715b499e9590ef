/** `/functions/v1`: the Edge Functions in this process, wired as when they are deployed. */

import { aiRecommend } from "../../supabase/functions/ai-recommend-v5/handler.ts";
import { embedUser } from "../../supabase/functions/embed-user/handler.ts";
import type { Handler } from "../../supabase/functions/_shared/endpoint.ts";
import { readEnvironment } from "../../supabase/functions/_shared/environment.ts";
import { logLine } from "../../supabase/functions/_shared/log.ts";
import { wire } from "../../supabase/functions/_shared/wiring.ts";
import type { Answering } from "./route.ts";

/** Read the functions' environment and make both; they share one model, database client and rate limit. */
export async function functions(variables: (name: string) => string | undefined): Promise<Answering> {
  const environment = readEnvironment(variables);
  const { candidates, diversityLambda, exploreShare, arm } = environment;
  const parts = await wire(environment, logLine);
  const handlers = new Map<string, Handler>([
    ["embed-user", embedUser(parts)],
    ["ai-recommend-v5", aiRecommend({ ...parts, candidates, diversityLambda, exploreShare, arm })],
  ]);
  return (request, path) => {
    const handler = handlers.get(path.split("/")[1] ?? "");
    if (handler !== undefined) return handler(request);
    return Response.json({ code: "NOT_FOUND", message: "Requested function was not found" }, { status: 404 });
  };
}
