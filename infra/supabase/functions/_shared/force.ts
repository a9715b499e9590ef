/** Whether a caller may have a vector computed anew although the stored one is fresh. */

import type { Caller } from "./caller.ts";
import { HttpError } from "./http_error.ts";
import type { RateLimit } from "./rate_limit.ts";

/** Count a forced recomputation of a signed-in user; servers are trusted to know what they ask for. */
export function requireForceAllowed(limit: RateLimit, caller: Caller): void {
  if (caller.kind !== "user") return;
  const seconds = Math.ceil(limit.take(caller.userId));
  if (seconds > 0) {
    throw new HttpError(429, "rate_limited", `Ask again in ${seconds} seconds`, { "retry-after": String(seconds) });
  }
}
