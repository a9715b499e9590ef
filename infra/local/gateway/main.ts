/** One address on loopback that answers as a Supabase project does: the table of routes, and serving it. */

import { auth } from "./auth.ts";
import { demo } from "./demo.ts";
import { readDemoSettings } from "./demo_settings.ts";
import { functions } from "./functions.ts";
import { ready } from "./ready.ts";
import { rest } from "./rest.ts";
import { router } from "./route.ts";
import { readSettings } from "./settings.ts";
import { storage } from "./storage.ts";

const variables = (name: string): string | undefined => Deno.env.get(name);
const { port, mark, postgrestUrl, bucketFolder, bucket } = readSettings(variables);

const routes = [
  { prefix: "/rest/v1", answer: rest(postgrestUrl) },
  { prefix: "/storage/v1", answer: storage(bucketFolder, bucket) },
  { prefix: "/functions/v1", answer: await functions(variables) },
  { prefix: "/auth/v1", answer: auth },
  { prefix: "/demo", answer: demo(readDemoSettings(variables)) },
  { prefix: "/ready", answer: ready(mark) },
];

const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, router(routes));
Deno.addSignalListener("SIGTERM", () => void server.shutdown());
await server.finished;
Deno.exit(0);
