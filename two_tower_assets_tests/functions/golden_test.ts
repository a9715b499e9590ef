import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { type Golden, Json, readGolden } from "../../infra/supabase/functions/_shared/documents.ts";
import type { EngineKind } from "../../infra/supabase/functions/_shared/engine.ts";
import { replay, TOLERANCE } from "../../infra/supabase/functions/_shared/golden.ts";
import type { Model } from "../../infra/supabase/functions/_shared/model.ts";
import { loader } from "../../infra/supabase/functions/_shared/release.ts";
import { typescriptEngine } from "../../infra/supabase/functions/_shared/typescript_engine.ts";
import { wasmEngine } from "../../infra/supabase/functions/_shared/wasm_engine.ts";
import { ArtifactServer, CONTENT, fileOf, HYBRID, KeptLog, NEWER, releaseOf, seeded } from "./testing.ts";

const MOST_FEATURES = 1e-6;
const MOST_EMBEDDING = 1e-6;

async function opened(version: string, kind: EngineKind, kept = new KeptLog()): Promise<Model> {
  await using artifacts = new ArtifactServer();
  return await loader({ url: artifacts.url, timeoutMilliseconds: 30_000 }, kind, kept.log)(await releaseOf(version));
}

function golden(version: string): Golden {
  return readGolden(Json.parse(fileOf(version, "golden_vectors.json"), "golden_vectors.json"));
}

for (const kind of [typescriptEngine, wasmEngine]) {
  for (const version of [CONTENT, NEWER, HYBRID]) {
    // onnxruntime-web keeps a message port of its own for ever.
    Deno.test(
      `${kind.name} gives the golden vectors of ${version}, which Python made`,
      { sanitizeResources: false },
      async () => {
        const kept = new KeptLog();
        const model = await opened(version, kind, kept);
        const result = await replay(model, golden(version));
        strictEqual(result.cases, version === HYBRID ? 18 : 13);
        ok(result.features <= MOST_FEATURES, `features ${result.features}`);
        ok(result.embedding <= MOST_EMBEDDING, `embedding ${result.embedding}`);
        const [loaded] = kept.of("release_loaded");
        deepStrictEqual([loaded?.["engine"], loaded?.["golden_cases"]], [kind.name, result.cases]);
        console.log(`${kind.name} ${version}: features ${result.features}, embedding ${result.embedding}`);
        await model.parts.engine.close();
      },
    );
  }
}

Deno.test("both engines give the same vectors, also for input no golden case has, and when asked at once", async () => {
  const models = await Promise.all([typescriptEngine, wasmEngine].map((kind) => opened(HYBRID, kind)));
  const random = seeded(1);
  const dim = models[0]?.parts.builder.schema.inputDim ?? 0;
  const inputs = Array.from(
    { length: 40 },
    (_, run) => Float32Array.from({ length: dim }, () => random() < 0.2 ? (random() - 0.5) * 10 ** (run % 7 - 3) : 0),
  );
  const [ours = [], theirs = []] = await Promise.all(
    models.map(({ parts }) => Promise.all(inputs.map((input) => parts.engine.run(input)))),
  );
  inputs.forEach((_, run) => {
    ours[run]?.forEach((value, place) => ok(Math.abs(value - (theirs[run]?.[place] ?? NaN)) <= 1e-6));
  });
  strictEqual(ours.length, 40);
  for (const { parts } of models) await parts.engine.close();
});

Deno.test("a golden case that differs by more than the tolerance, or has other sizes, is refused", async () => {
  const model = await opened(CONTENT, typescriptEngine);
  const right = golden(CONTENT);
  const changed = (
    change: (values: readonly number[]) => readonly number[],
    part: "features" | "embedding",
  ): Golden => ({
    ...right,
    cases: right.cases.map((item, place) => place === 5 ? { ...item, [part]: change(item[part]) } : item),
  });
  for (const part of ["features", "embedding"] as const) {
    await rejects(
      replay(model, changed((values) => values.with(3, (values[3] ?? 0) + 2.5e-5), part)),
      /only unknown names/,
    );
    await rejects(replay(model, changed((values) => values.slice(1), part)), /only unknown names/);
    await rejects(replay(model, changed((values) => values.with(0, NaN), part)), /only unknown names/);
    await replay(model, changed((values) => values.with(3, (values[3] ?? 0) + TOLERANCE / 4), part));
  }
});

Deno.test("a file's own tolerance may be narrower and never wider; no cases and another version's are refused", async () => {
  const model = await opened(CONTENT, typescriptEngine);
  const right = golden(CONTENT);
  const off = right.cases.map((item) => ({
    ...item,
    features: item.features.with(0, (item.features[0] ?? 0) + 1e-4),
  }));
  await rejects(replay(model, { ...right, cases: off, features: 1 }), /differs/);
  await rejects(replay(model, { ...right, features: -1 }), /differs/);
  await rejects(replay(model, { ...right, cases: [] }), /0 golden vectors/);
  await rejects(replay(model, { ...right, modelVersion: NEWER }), /of version/);
});
