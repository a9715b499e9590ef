/** The deployed `ai-recommend-v5`: its environment and its server. */

import { readEnvironment } from "../_shared/environment.ts";
import { logLine } from "../_shared/log.ts";
import { wire } from "../_shared/wiring.ts";
import { aiRecommend } from "./handler.ts";

const environment = readEnvironment((name) => Deno.env.get(name));
const { candidates, diversityLambda, exploreShare, arm } = environment;
Deno.serve(aiRecommend({ ...await wire(environment, logLine), candidates, diversityLambda, exploreShare, arm }));
