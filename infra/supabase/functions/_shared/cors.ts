/** Which web pages may read answers. Identity is in the token, not in cookies, so any origin may by default. */

const ALLOWED_HEADERS = "authorization, apikey, content-type, x-client-info, x-region";
const EXPOSED_HEADERS =
  "retry-after, x-arm, x-experiment, x-golden-vectors, x-model-version, x-refused-version, x-request-id";

/** Headers for an answer to `origin`; none where that origin is not allowed, so that its browser keeps the answer. */
export function corsHeaders(origin: string | null, allowed: readonly string[], methods: string): Headers {
  const headers = new Headers();
  const everybody = allowed.includes("*");
  if (!everybody) headers.set("vary", "Origin");
  if (everybody || (origin !== null && allowed.includes(origin))) {
    headers.set("access-control-allow-origin", everybody ? "*" : origin ?? "");
    headers.set("access-control-allow-methods", methods);
    headers.set("access-control-allow-headers", ALLOWED_HEADERS);
    headers.set("access-control-expose-headers", EXPOSED_HEADERS);
    headers.set("access-control-max-age", "86400");
  }
  return headers;
}
