/** What runs a user tower, whichever way. */

export interface Engine {
  /** `user_embedding` float32 [embedding_dim] of `user_features` float32 [input_dim]. */
  run(features: Float32Array): Promise<Float32Array>;
  /** Give memory back; no run may follow. */
  close(): Promise<void>;
}

/** Files of a version by name, each one checked. */
export type ModelFiles = ReadonlyMap<string, Uint8Array>;

/** How an engine is opened, and which files beside the contract's it needs for that. */
export interface EngineKind {
  readonly name: "typescript" | "wasm";
  readonly files: readonly string[];
  open(files: ModelFiles): Promise<Engine>;
}

export const USER_TOWER = "user_tower.onnx";
export const INPUT_TENSOR = "user_features";
export const OUTPUT_TENSOR = "user_embedding";
