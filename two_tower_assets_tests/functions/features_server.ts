/** Features and embeddings of payloads for a test in another language: a line of JSON in, a line of JSON out.
 * Argument: the folder of a model version. */

import { Json, readScales, readSchema, readTokens } from "../../infra/supabase/functions/_shared/documents.ts";
import { USER_TOWER } from "../../infra/supabase/functions/_shared/engine.ts";
import { FeatureBuilder, vocabularyFile } from "../../infra/supabase/functions/_shared/features.ts";
import { Model } from "../../infra/supabase/functions/_shared/model.ts";
import { PayloadError } from "../../infra/supabase/functions/_shared/payload.ts";
import { DEFAULT_RERANK } from "../../infra/supabase/functions/_shared/rerank_settings.ts";
import { typescriptEngine } from "../../infra/supabase/functions/_shared/typescript_engine.ts";

const [folder = ""] = Deno.args;
const file = (path: string): Json => Json.parse(Deno.readFileSync(`${folder}/${path}`), path);

const schema = readSchema(file("feature_schema.json"));
const bags = schema.segments.filter((segment) => segment.type === "l2_normalized_bow").map(vocabularyFile);
const model = new Model({
  modelVersion: "",
  builder: new FeatureBuilder(
    schema,
    readScales(file("normalizer.json")),
    new Map(bags.map((path) => [path, readTokens(file(path))])),
  ),
  engine: await typescriptEngine.open(new Map([[USER_TOWER, Deno.readFileSync(`${folder}/${USER_TOWER}`)]])),
  rerank: DEFAULT_RERANK,
  halfLifeDays: 30,
});

async function answer(line: string): Promise<unknown> {
  const { payload, as_of } = JSON.parse(line);
  try {
    const { features, embedding } = await model.embed(payload, as_of);
    return { features: [...features], embedding: [...embedding] };
  } catch (error) {
    if (error instanceof PayloadError) return { refused: error.message };
    throw error;
  }
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop() ?? "";
  for (const line of lines) console.log(JSON.stringify(await answer(line)));
}
