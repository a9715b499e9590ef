/** The deployed `embed-user`: its environment and its server. */

import { readEnvironment } from "../_shared/environment.ts";
import { logLine } from "../_shared/log.ts";
import { wire } from "../_shared/wiring.ts";
import { embedUser } from "./handler.ts";

Deno.serve(embedUser(await wire(readEnvironment((name) => Deno.env.get(name)), logLine)));
