/** `/ready`: for whoever started the gateway. */

import type { Answering } from "./route.ts";

export function ready(mark: string): Answering {
  return () => Response.json({ mark });
}
