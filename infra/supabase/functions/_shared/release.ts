/** From a row of the registry to a model that may serve: every byte checked, every golden vector replayed. */

import { type ArtifactServer, fetchArtifact } from "./artifacts.ts";
import type { LiveRelease } from "./data.ts";
import {
  type FeatureSchema,
  Json,
  type Manifest,
  readGolden,
  readManifest,
  readScales,
  readSchema,
  readTokens,
} from "./documents.ts";
import { type EngineKind, type ModelFiles, USER_TOWER } from "./engine.ts";
import { FeatureBuilder, vocabularyFile } from "./features.ts";
import { replay } from "./golden.ts";
import type { Log } from "./log.ts";
import { Model } from "./model.ts";
import { ReleaseError } from "./release_error.ts";
import { readRerank } from "./rerank_settings.ts";

const MANIFEST = "manifest.json";
const SCHEMA = "feature_schema.json";
const NORMALIZER = "normalizer.json";
const GOLDEN = "golden_vectors.json";
const META = "model_meta.json";
const EMBEDDING_DIM = 256;
const HALF_LIFE_DAYS = 30;

export type Load = (release: LiveRelease) => Promise<Model>;

/** Make the loader of a deployment; it raises ReleaseError for a release that must not be served. */
export function loader(
  server: ArtifactServer,
  kind: EngineKind,
  log: Log,
  now: () => number = performance.now.bind(performance),
): Load {
  return async (release) => {
    const started = now();
    const manifest = await fetchManifest(server, release);
    const files = await fetchFiles(server, manifest, [SCHEMA, NORMALIZER, GOLDEN, META, USER_TOWER, ...kind.files]);
    const schema = readSchema(json(files, SCHEMA));
    const bags = schema.segments.filter((segment) => segment.type === "l2_normalized_bow").map(vocabularyFile);
    const vocabularies = await fetchFiles(server, manifest, [...new Set(bags)]);
    const model = await assemble(release.modelVersion, files, vocabularies, schema, kind);
    const result = await refusing(model, async () => await replay(model, readGolden(json(files, GOLDEN))));
    log("release_loaded", {
      model_version: release.modelVersion,
      engine: kind.name,
      golden_cases: result.cases,
      largest_feature_difference: result.features,
      largest_embedding_difference: result.embedding,
      bytes: bytesOf(files) + bytesOf(vocabularies),
      milliseconds: Math.round(now() - started),
    });
    return new Model(model.parts, result);
  };
}

async function fetchManifest(server: ArtifactServer, release: LiveRelease): Promise<Manifest> {
  if (release.manifestHash === null) throw new ReleaseError("The registry does not name the manifest's hash");
  const expected = { sha256: release.manifestHash, size: null };
  const manifest = readManifest(
    Json.parse(await fetchArtifact(server, release.modelVersion, MANIFEST, expected), MANIFEST),
  );
  if (manifest.modelVersion !== release.modelVersion) {
    throw new ReleaseError(`The manifest is of version ${manifest.modelVersion}`);
  }
  return manifest;
}

/** Fetch at the same time; what fails is raised when nothing is under way any more. */
async function fetchFiles(server: ArtifactServer, manifest: Manifest, paths: readonly string[]): Promise<ModelFiles> {
  const fetched = await Promise.allSettled(paths.map(async (path): Promise<[string, Uint8Array]> => {
    const expected = manifest.files.get(path);
    if (expected === undefined) throw new ReleaseError(`The manifest does not list ${path}`);
    return [path, await fetchArtifact(server, manifest.modelVersion, path, expected)];
  }));
  return new Map(fetched.map((file) => {
    if (file.status === "rejected") throw file.reason;
    return file.value;
  }));
}

async function assemble(
  modelVersion: string,
  files: ModelFiles,
  vocabularies: ModelFiles,
  schema: FeatureSchema,
  kind: EngineKind,
): Promise<Model> {
  const meta = json(files, META);
  if (meta.get("model_version").text() !== modelVersion) throw new ReleaseError(`${META} is of another version`);
  if (schema.embeddingDim !== EMBEDDING_DIM) {
    throw new ReleaseError(`The vectors have ${schema.embeddingDim} dimensions and not ${EMBEDDING_DIM}`);
  }
  const tokens = [...vocabularies.keys()].map((path): [string, readonly string[]] => [
    path,
    readTokens(json(vocabularies, path)),
  ]);
  const builder = new FeatureBuilder(schema, readScales(json(files, NORMALIZER)), new Map(tokens));
  const serving = meta.get("serving");
  const halfLife = serving.get("fallback_half_life_days");
  const rerank = readRerank(serving.get("rerank"));
  const halfLifeDays = halfLife.absent ? HALF_LIFE_DAYS : halfLife.number();
  return new Model({ modelVersion, builder, engine: await kind.open(files), rerank, halfLifeDays });
}

/** Give a refused model's memory back. */
async function refusing<T>(model: Model, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await model.parts.engine.close();
    throw error;
  }
}

function json(files: ModelFiles, path: string): Json {
  return Json.parse(files.get(path) ?? new Uint8Array(), path);
}

function bytesOf(files: ModelFiles): number {
  return files.values().reduce((sum, bytes) => sum + bytes.length, 0);
}
