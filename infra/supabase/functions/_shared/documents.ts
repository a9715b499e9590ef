/** The JSON files of a version, read strictly: what a function relies on is there and of the right type. */

import { ReleaseError } from "./release_error.ts";

export type SegmentType = "standard_score" | "scaled_bucket" | "l2_normalized_bow";

export interface Segment {
  readonly name: string;
  readonly size: number;
  readonly type: string;
  readonly features: readonly string[];
  readonly source: string | null;
  readonly vocabulary: string | null;
}

export interface FeatureSchema {
  readonly inputDim: number;
  readonly embeddingDim: number;
  readonly segments: readonly Segment[];
}

export interface Scale {
  readonly mean: number;
  readonly std: number;
}

export interface Manifest {
  readonly modelVersion: string;
  readonly files: ReadonlyMap<string, { readonly sha256: string; readonly size: number }>;
}

export interface GoldenCase {
  readonly name: string;
  readonly asOf: string;
  readonly payload: unknown;
  readonly features: readonly number[];
  readonly embedding: readonly number[];
}

export interface Golden {
  readonly modelVersion: string;
  readonly features: number;
  readonly embedding: number;
  readonly cases: readonly GoldenCase[];
}

/** One JSON object of a file and where it stands, for messages. */
export class Json {
  constructor(readonly value: unknown, readonly where: string) {}

  static parse(bytes: Uint8Array, where: string): Json {
    try {
      return new Json(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), where);
    } catch {
      throw new ReleaseError(`${where} is not JSON`);
    }
  }

  get(name: string): Json {
    const { value } = this;
    const row = typeof value === "object" && value !== null && !Array.isArray(value);
    return new Json(row ? new Map(Object.entries(value)).get(name) : undefined, `${this.where}: ${name}`);
  }

  get absent(): boolean {
    return this.value === undefined || this.value === null;
  }

  text(): string {
    if (typeof this.value !== "string") throw new ReleaseError(`${this.where} is not a text`);
    return this.value;
  }

  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) {
      throw new ReleaseError(`${this.where} is not a number`);
    }
    return this.value;
  }

  size(): number {
    const number = this.number();
    if (!Number.isSafeInteger(number) || number < 0) throw new ReleaseError(`${this.where} is not a size`);
    return number;
  }

  list(): Json[] {
    if (!Array.isArray(this.value)) throw new ReleaseError(`${this.where} is not a list`);
    return this.value.map((item, place) => new Json(item, `${this.where}[${place}]`));
  }

  entries(): [string, Json][] {
    if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value)) {
      throw new ReleaseError(`${this.where} is not an object`);
    }
    return Object.entries(this.value).map(([name, item]) => [name, new Json(item, `${this.where}: ${name}`)]);
  }
}

export function readManifest(json: Json): Manifest {
  const files = json.get("files").list().map((file): [string, { sha256: string; size: number }] => [
    file.get("path").text(),
    { sha256: file.get("sha256").text(), size: file.get("size").size() },
  ]);
  return { modelVersion: json.get("model_version").text(), files: new Map(files) };
}

export function readSchema(json: Json): FeatureSchema {
  const segments = json.get("segments").list().map((segment): Segment => ({
    name: segment.get("name").text(),
    size: segment.get("size").size(),
    type: segment.get("type").text(),
    features: segment.get("features").absent ? [] : segment.get("features").list().map((name) => name.text()),
    source: segment.get("source").absent ? null : segment.get("source").text(),
    vocabulary: segment.get("vocabulary").absent ? null : segment.get("vocabulary").text(),
  }));
  const inputDim = json.get("input_dim").size();
  if (segments.reduce((sum, segment) => sum + segment.size, 0) !== inputDim) {
    throw new ReleaseError(`${json.where}: the segments do not add up to input_dim ${inputDim}`);
  }
  return { inputDim, embeddingDim: json.get("embedding_dim").size(), segments };
}

export function readScales(json: Json): ReadonlyMap<string, Scale> {
  const scales = json.get("user_numeric").entries().map(([name, scale]): [string, Scale] => [
    name,
    { mean: scale.get("mean").number(), std: scale.get("std").number() },
  ]);
  return new Map(scales);
}

export function readTokens(json: Json): readonly string[] {
  return json.get("tokens").list().map((token) => token.text());
}

export function readGolden(json: Json): Golden {
  const tolerance = json.get("tolerance");
  return {
    modelVersion: json.get("model_version").text(),
    features: tolerance.get("features").number(),
    embedding: tolerance.get("embedding").number(),
    cases: json.get("cases").list().map((item): GoldenCase => ({
      name: item.get("name").absent ? item.where : item.get("name").text(),
      asOf: item.get("as_of").text(),
      payload: item.get("payload").value,
      features: item.get("features").list().map((value) => value.number()),
      embedding: item.get("embedding").list().map((value) => value.number()),
    })),
  };
}
