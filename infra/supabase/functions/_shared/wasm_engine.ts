/** The user tower by onnxruntime-web, whose wasm is one of the version's own files and checked like them. */

import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { type Engine, type EngineKind, INPUT_TENSOR, type ModelFiles, OUTPUT_TENSOR, USER_TOWER } from "./engine.ts";
import { ReleaseError } from "./release_error.ts";

const WASM = "ort-wasm-simd-threaded.wasm";

export const wasmEngine: EngineKind = { name: "wasm", files: [WASM], open };

async function open(files: ModelFiles): Promise<Engine> {
  env.logLevel = "error";
  env.wasm.numThreads = 1;
  env.wasm.proxy = false;
  // Only the first one is ever compiled; a later release brings the same bytes or is refused by its golden vectors.
  env.wasm.wasmBinary ??= files.get(WASM) ?? new Uint8Array();
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(files.get(USER_TOWER) ?? new Uint8Array(), {
      executionProviders: ["wasm"],
    });
  } catch (error) {
    throw new ReleaseError(
      `onnxruntime-web cannot load the user tower: ${error instanceof Error ? error.message : ""}`,
    );
  }
  if (session.inputNames.join() !== INPUT_TENSOR || session.outputNames.join() !== OUTPUT_TENSOR) {
    throw new ReleaseError(`The ONNX file's tensors are ${session.inputNames} and ${session.outputNames}`);
  }
  return new WasmEngine(session);
}

/** One run at a time: the module has one heap and one thread, and a session is closed only when nobody is at it. */
class WasmEngine implements Engine {
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly session: InferenceSession) {}

  run(features: Float32Array): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const input = new Tensor("float32", features, [1, features.length]);
      const output = (await this.session.run({ [INPUT_TENSOR]: input }))[OUTPUT_TENSOR];
      if (!(output?.data instanceof Float32Array)) throw new ReleaseError(`The user tower gives no ${OUTPUT_TENSOR}`);
      return output.data;
    });
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.session.release());
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
