/** Replaying a version's golden vectors: the proof that these functions compute what the training computed. */

import type { Golden } from "./documents.ts";
import type { Model } from "./model.ts";
import { PayloadError } from "./payload.ts";
import { ReleaseError } from "./release_error.ts";

/** The contract's largest difference; a file may ask for less, not more. */
export const TOLERANCE = 1e-5;

/** Largest absolute differences over all cases. */
export interface Replay {
  readonly cases: number;
  readonly features: number;
  readonly embedding: number;
}

/** Recompute every case; raises ReleaseError where one differs by more than the tolerance, or cannot be computed. */
export async function replay(model: Model, golden: Golden): Promise<Replay> {
  if (golden.modelVersion !== model.modelVersion || golden.cases.length === 0) {
    throw new ReleaseError(`There are ${golden.cases.length} golden vectors of version ${golden.modelVersion}`);
  }
  let [features, embedding] = [0, 0];
  for (const item of golden.cases) {
    try {
      const made = await model.embed(item.payload, item.asOf);
      features = Math.max(features, difference(made.features, item.features));
      embedding = Math.max(embedding, difference(made.embedding, item.embedding));
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      throw new ReleaseError(`Golden case '${item.name}' cannot be read: ${error.message}`);
    }
    // Not `>`: a difference that is no number must be refused.
    if (!(features <= Math.min(golden.features, TOLERANCE) && embedding <= Math.min(golden.embedding, TOLERANCE))) {
      throw new ReleaseError(
        `Golden case '${item.name}' differs: features by ${features}, embedding by ${embedding}`,
      );
    }
  }
  return { cases: golden.cases.length, features, embedding };
}

function difference(values: Float32Array, expected: readonly number[]): number {
  if (values.length !== expected.length) return Infinity;
  let largest = 0;
  for (const [place, value] of expected.entries()) {
    const distance = Math.abs((values[place] ?? NaN) - Math.fround(value));
    // NaN would be lost on the next comparison.
    if (Number.isNaN(distance)) return Infinity;
    largest = Math.max(largest, distance);
  }
  return largest;
}
