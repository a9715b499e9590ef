/** `/rest/v1`: PostgREST, which serves at its root what a project serves here. */

import type { Answering } from "./route.ts";

/** Of one connection, not of the request; and what fetch says itself. */
const OF_THE_CONNECTION = ["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer", "host"];
const NOT_SENT_ON = [...OF_THE_CONNECTION, "content-length", "accept-encoding", "apikey"];

export function rest(postgrestUrl: string): Answering {
  return async (request, path) => {
    const target = `${postgrestUrl}${path || "/"}${new URL(request.url).search}`;
    const bodiless = request.method === "GET" || request.method === "HEAD";
    const body = bodiless ? null : await request.arrayBuffer();
    try {
      const answer = await fetch(target, {
        method: request.method,
        headers: sentOn(request.headers),
        body,
        redirect: "manual",
        signal: request.signal,
      });
      const headers = new Headers(answer.headers);
      for (const name of OF_THE_CONNECTION) headers.delete(name);
      return new Response(answer.body, { status: answer.status, headers });
    } catch (error) {
      // Nothing listens, it broke off, or the caller has gone.
      if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
      return Response.json({ code: "PGRST000", message: "PostgREST does not answer" }, { status: 503 });
    }
  };
}

/** A key alone counts as the token, as a project's gateway has it. */
function sentOn(given: Headers): Headers {
  const headers = new Headers(given);
  const key = headers.get("apikey");
  for (const name of NOT_SENT_ON) headers.delete(name);
  if (key !== null && !headers.has("authorization")) headers.set("authorization", `Bearer ${key}`);
  return headers;
}
