import { ok, rejects, strictEqual } from "node:assert/strict";
import type { LiveRelease } from "../../infra/supabase/functions/_shared/data.ts";
import type { EngineKind } from "../../infra/supabase/functions/_shared/engine.ts";
import type { Model } from "../../infra/supabase/functions/_shared/model.ts";
import { loader } from "../../infra/supabase/functions/_shared/release.ts";
import { ReleaseError } from "../../infra/supabase/functions/_shared/release_error.ts";
import { typescriptEngine } from "../../infra/supabase/functions/_shared/typescript_engine.ts";
import { wasmEngine } from "../../infra/supabase/functions/_shared/wasm_engine.ts";
import { ArtifactServer, CONTENT, fileOf, HYBRID, KeptLog, releaseOf, sha256 } from "./testing.ts";

function load(
  artifacts: ArtifactServer,
  release: LiveRelease,
  kind = typescriptEngine,
  timeoutMilliseconds = 30_000,
): Promise<Model> {
  return loader({ url: artifacts.url, timeoutMilliseconds }, kind, new KeptLog().log)(release);
}

const FILES = ["feature_schema.json", "normalizer.json", "golden_vectors.json", "model_meta.json", "user_tower.onnx"];

for (const path of [...FILES, "vocab_tag.json", "vocab_actress.json"]) {
  Deno.test(`one changed byte of ${path} is noticed before anything is made of it`, async () => {
    await using artifacts = new ArtifactServer();
    artifacts.faults.set(`${CONTENT}/${path}`, (bytes) => {
      const changed = bytes.slice();
      changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
      return new Response(changed);
    });
    await rejects(
      load(artifacts, await releaseOf(CONTENT)),
      new ReleaseError(`${path} is not the file that was released`, false),
    );
  });
}

Deno.test("one changed byte of onnxruntime-web's wasm is noticed too", async () => {
  await using artifacts = new ArtifactServer();
  artifacts.faults.set(
    `${CONTENT}/ort-wasm-simd-threaded.wasm`,
    (bytes) => new Response(bytes.slice().fill(7, 99, 100)),
  );
  await rejects(load(artifacts, await releaseOf(CONTENT), wasmEngine), /ort-wasm-simd-threaded.wasm is not the file/);
});

Deno.test("the manifest must be the one that the registry names", async () => {
  await using artifacts = new ArtifactServer();
  artifacts.faults.set(`${CONTENT}/manifest.json`, (bytes) => new Response(bytes.slice(0, -1)));
  await rejects(load(artifacts, await releaseOf(CONTENT)), /manifest.json is not the file that was released/);
  await rejects(load(artifacts, { modelVersion: CONTENT, manifestHash: null }), /does not name the manifest's hash/);
  const other = await releaseOf(HYBRID);
  await rejects(load(artifacts, { ...other, modelVersion: CONTENT }), /not the file that was released/);
});

const FAULTS: Record<string, [fault: (bytes: Uint8Array) => Response, what: RegExp]> = {
  "an HTML page": [() => new Response("<html>", { headers: { "content-type": "text/html" } }), /has 6 bytes and not/],
  "an error": [() => new Response("", { status: 500 }), /the artifact server answers 500/],
  "nothing found": [() => new Response("", { status: 404 }), /the artifact server answers 404/],
  "half a file": [(bytes) => new Response(bytes.slice(0, bytes.length >> 1)), /bytes and not/],
  "a file that does not end": [() => endless(), /is larger than/],
  "an answer that breaks off": [() => broken(), /does not answer as it should/],
};

for (const [name, [fault, what]] of Object.entries(FAULTS)) {
  Deno.test(`${name} in place of a file is refused, and another try may help`, async () => {
    await using artifacts = new ArtifactServer();
    artifacts.faults.set(`${CONTENT}/normalizer.json`, fault);
    const error = await load(artifacts, await releaseOf(CONTENT)).catch((error) => error);
    ok(error instanceof ReleaseError, String(error));
    ok(what.test(error.message), error.message);
    strictEqual(error.lasting, false);
  });
}

function endless(): Response {
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }));
}

function broken(): Response {
  let sent = 0;
  const pull = (controller: ReadableStreamDefaultController): void => {
    if (sent++ > 0) controller.error(new Error("gone"));
    else controller.enqueue(new Uint8Array(10));
  };
  return new Response(new ReadableStream({ pull }));
}

Deno.test("a server that does not answer in time, or is not there, is given up", async () => {
  let answer: (response: Response) => void = () => {};
  await using artifacts = new ArtifactServer();
  artifacts.faults.set(`${CONTENT}/user_tower.onnx`, () => new Promise((resolve) => answer = resolve));
  await rejects(
    load(artifacts, await releaseOf(CONTENT), typescriptEngine, 200),
    /user_tower.onnx: the artifact server/,
  );
  answer(new Response());
  const gone = loader({ url: "http://127.0.0.1:9", timeoutMilliseconds: 1000 }, typescriptEngine, new KeptLog().log);
  await rejects(gone(await releaseOf(CONTENT)), /manifest.json: the artifact server does not answer/);
});

/** Serve a version of which some JSON files are others, listed as they are: released so, by somebody's mistake. */
async function released(
  artifacts: ArtifactServer,
  changes: Record<string, (json: unknown) => unknown>,
): Promise<LiveRelease> {
  const manifest = JSON.parse(new TextDecoder().decode(fileOf(CONTENT, "manifest.json")));
  for (const [path, change] of Object.entries(changes)) {
    const text = JSON.stringify(change(JSON.parse(new TextDecoder().decode(fileOf(CONTENT, path)))));
    const bytes = new TextEncoder().encode(text);
    artifacts.faults.set(`${CONTENT}/${path}`, () => new Response(bytes));
    const listed = manifest.files.find((file: { path: string }) => file.path === path);
    [listed.sha256, listed.size] = [await sha256(bytes), bytes.length];
  }
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  artifacts.faults.set(`${CONTENT}/manifest.json`, () => new Response(bytes));
  return { modelVersion: CONTENT, manifestHash: await sha256(bytes) };
}

// deno-lint-ignore no-explicit-any
type Loose = any;

const MISTAKES: Record<string, [changes: Record<string, (json: Loose) => unknown>, what: RegExp]> = {
  "a normalizer of other data": [
    {
      "normalizer.json": (json) => ({
        ...json,
        user_numeric: { ...json.user_numeric, mean_price: { mean: 7, std: 2 } },
      }),
    },
    /Golden case .* differs/,
  ],
  "a normalizer without a feature": [
    { "normalizer.json": (json) => ({ ...json, user_numeric: { ...json.user_numeric, like_count: undefined } }) },
    /The numeric like_count is unknown/,
  ],
  "a vocabulary in another order": [
    { "vocab_tag.json": (json) => ({ tokens: json.tokens.toReversed() }) },
    /Golden case .* differs/,
  ],
  "a vocabulary that is shorter": [
    { "vocab_tag.json": (json) => ({ tokens: json.tokens.slice(1) }) },
    /tag_vector has 40 features and 39 names/,
  ],
  "a vocabulary of numbers": [{ "vocab_tag.json": () => ({ tokens: [1] }) }, /tokens\[0\] is not a text/],
  "a segment of an unknown type": [
    {
      "feature_schema.json": (json) => ({
        ...json,
        segments: json.segments.with(1, { ...json.segments[1], type: "sine" }),
      }),
    },
    /hour_of_day of type sine is unknown/,
  ],
  "a segment from an unknown part of the payload": [
    {
      "feature_schema.json": (json) => ({
        ...json,
        segments: json.segments.with(2, { ...json.segments[2], source: "__proto__", vocabulary: "vocab_tag.json" }),
      }),
    },
    /reads a part of the payload that is unknown/,
  ],
  "segments that do not add up": [
    { "feature_schema.json": (json) => ({ ...json, input_dim: 60 }) },
    /do not add up to input_dim 60/,
  ],
  "vectors of another dimension": [
    { "feature_schema.json": (json) => ({ ...json, embedding_dim: 128 }) },
    /128 dimensions and not 256/,
  ],
  "metadata of another version": [
    { "model_meta.json": (json) => ({ ...json, model_version: HYBRID }) },
    /model_meta.json is of another version/,
  ],
  "weights of the score that are no numbers": [
    { "model_meta.json": (json) => ({ ...json, serving: { rerank: { strength: "much" } } }) },
    /strength is not a number/,
  ],
  "golden vectors of another version": [
    { "golden_vectors.json": (json) => ({ ...json, model_version: HYBRID }) },
    /golden vectors of version/,
  ],
};

for (const [name, [changes, what]] of Object.entries(MISTAKES)) {
  Deno.test(`a release with ${name} is refused, although every hash is right`, async () => {
    await using artifacts = new ArtifactServer();
    await rejects(load(artifacts, await released(artifacts, changes)), what);
  });
}

Deno.test("a release from before the score's weights were kept serves with the contract's", async () => {
  await using artifacts = new ArtifactServer();
  const older = await released(artifacts, { "model_meta.json": (json: Loose) => ({ ...json, serving: undefined }) });
  const { parts } = await load(artifacts, older);
  strictEqual(parts.rerank.strength, 1);
  strictEqual(parts.rerank.similarityWeight, 0.75);
  strictEqual(parts.halfLifeDays, 30);
});

Deno.test("an engine whose files the manifest does not list is refused", async () => {
  await using artifacts = new ArtifactServer();
  const kind: EngineKind = { ...typescriptEngine, files: ["another.wasm"] };
  await rejects(load(artifacts, await releaseOf(CONTENT), kind), /The manifest does not list another.wasm/);
});

Deno.test("each file is asked for once, the manifest first, and the vocabulary of videos where there is one", async () => {
  await using artifacts = new ArtifactServer();
  const { parts } = await load(artifacts, await releaseOf(HYBRID));
  strictEqual(artifacts.asked[0], `${HYBRID}/manifest.json`);
  strictEqual(new Set(artifacts.asked).size, artifacts.asked.length);
  ok(artifacts.asked.includes(`${HYBRID}/vocab_video.json`));
  strictEqual(parts.rerank.strength, 0.1);
});
