/** The user tower's own weights and operators, run here: nothing to fetch or to compile. */

import { type Engine, type EngineKind, INPUT_TENSOR, type ModelFiles, OUTPUT_TENSOR, USER_TOWER } from "./engine.ts";
import { type Graph, type Node, readGraph } from "./onnx_model.ts";
import { type Operator, OPERATORS } from "./onnx_operators.ts";
import { ReleaseError } from "./release_error.ts";
import type { Tensor } from "./tensor.ts";

export const typescriptEngine: EngineKind = {
  name: "typescript",
  files: [],
  open: (files: ModelFiles) =>
    Promise.resolve(new TypescriptEngine(readGraph(files.get(USER_TOWER) ?? new Uint8Array()))),
};

class TypescriptEngine implements Engine {
  readonly #graph: Graph;
  readonly #steps: readonly (readonly [node: Node, operator: Operator])[];

  constructor(graph: Graph) {
    if (graph.inputs.join() !== INPUT_TENSOR || graph.outputs.join() !== OUTPUT_TENSOR) {
      throw new ReleaseError(`The ONNX file's tensors are ${graph.inputs} and ${graph.outputs}`);
    }
    for (const [name, tensor] of graph.stored) {
      if (!tensor.data.every(Number.isFinite)) throw new ReleaseError(`A weight of ${name} is not finite`);
    }
    this.#graph = graph;
    this.#steps = graph.nodes.map((node) => {
      const operator = OPERATORS.get(node.operator);
      if (operator === undefined) {
        throw new ReleaseError(`The ONNX file has operator ${node.operator}, which the TypeScript engine lacks`);
      }
      return [node, operator];
    });
  }

  run(features: Float32Array): Promise<Float32Array> {
    return Promise.resolve(this.#run(features));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #run(features: Float32Array): Float32Array {
    const values = new Map<string, Tensor>(this.#graph.stored);
    values.set(INPUT_TENSOR, { dims: [1, features.length], data: features });
    for (const [node, operator] of this.#steps) {
      const out = operator(node.inputs.map((name) => values.get(name)), node);
      for (const name of node.outputs) values.set(name, out);
    }
    const embedding = values.get(OUTPUT_TENSOR)?.data;
    if (!(embedding instanceof Float32Array)) {
      throw new ReleaseError(`The ONNX file's graph gives no ${OUTPUT_TENSOR}`);
    }
    return embedding;
  }
}
