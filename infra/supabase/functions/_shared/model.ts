/** One model version, ready to embed users. */

import type { Engine } from "./engine.ts";
import type { FeatureBuilder } from "./features.ts";
import type { Replay } from "./golden.ts";
import { parseMoment } from "./moments.ts";
import { parsePayload, PayloadError, type UserPayload } from "./payload.ts";
import type { RerankSettings } from "./rerank_settings.ts";
import { ReleaseError } from "./release_error.ts";

const LENGTH_TOLERANCE = 1e-3;

/** What a vector was made of, in the contract's words. */
export interface Summary {
  readonly likeCount: number;
  readonly nopeCount: number;
  readonly decisionCount: number;
  /** Different names of the vocabulary among the tags of the liked videos. */
  readonly tagMatchCount: number;
  readonly actressMatchCount: number;
}

export interface Embedded {
  readonly features: Float32Array;
  readonly embedding: Float32Array;
  readonly summary: Summary;
}

export interface ModelParts {
  readonly modelVersion: string;
  readonly builder: FeatureBuilder;
  readonly engine: Engine;
  readonly rerank: RerankSettings;
  readonly halfLifeDays: number;
}

export class Model {
  /** @param golden how near it came to its golden vectors; null where they were not replayed */
  constructor(readonly parts: ModelParts, readonly golden: Replay | null = null) {}

  get modelVersion(): string {
    return this.parts.modelVersion;
  }

  /**
   * Embed a user.
   * @param payload of `get_user_embedding_features`
   * @param asOf the moment that it was read at, ISO 8601
   * @throws PayloadError where it cannot be read or has a number that no feature can hold
   * @throws ReleaseError where the model gives what is no unit vector
   */
  async embed(payload: unknown, asOf: string): Promise<Embedded> {
    const { builder, engine } = this.parts;
    const { read, features } = this.#features(payload, asOf);
    const embedding = await engine.run(features);
    requireUnit(embedding, builder.schema.embeddingDim);
    return { features, embedding, summary: this.#summary(read, features) };
  }

  /** What a user's vector would be made of; arguments and errors as of `embed`. */
  summary(payload: unknown, asOf: string): Summary {
    const { read, features } = this.#features(payload, asOf);
    return this.#summary(read, features);
  }

  #features(payload: unknown, asOf: string): { readonly read: UserPayload; readonly features: Float32Array } {
    const moment = parseMoment(asOf);
    if (moment === null) throw new PayloadError("as_of is not a time");
    const read = parsePayload(payload);
    const features = this.parts.builder.build(read, moment);
    if (!features.every(Number.isFinite)) {
      throw new PayloadError("A number of the payload is beyond single precision");
    }
    return { read, features };
  }

  #summary(payload: UserPayload, features: Float32Array): Summary {
    return {
      likeCount: payload.likeCount,
      nopeCount: payload.nopeCount,
      decisionCount: payload.decisionCount,
      tagMatchCount: this.parts.builder.matches(features, "tag_vector"),
      actressMatchCount: this.parts.builder.matches(features, "actress_vector"),
    };
  }
}

function requireUnit(embedding: Float32Array, dim: number): void {
  const length = Math.sqrt(embedding.reduce((sum, value) => sum + value * value, 0));
  // A comparison with NaN is false.
  if (embedding.length !== dim || !(Math.abs(length - 1) <= LENGTH_TOLERANCE)) {
    throw new ReleaseError(`The user tower gives ${embedding.length} numbers of length ${length}`);
  }
}
