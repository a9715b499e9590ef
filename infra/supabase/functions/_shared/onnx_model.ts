/** An ONNX file to a graph: nodes in order, and the tensors that are stored with it. */

import { bytesOf, fields, floats, integers, textOf } from "./protobuf.ts";
import { ReleaseError } from "./release_error.ts";
import type { Tensor } from "./tensor.ts";

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, readonly number[]>;
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly stored: ReadonlyMap<string, Tensor>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

// Field numbers of onnx.proto.
const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5, domain: 7 };
const ATTRIBUTE = { name: 1, float: 2, integer: 3, integers: 8 };
const TENSOR = { dims: 1, type: 2, floats: 4, integers: 7, name: 8, raw: 9, external: 13 };
const VALUE_NAME = 1;
const FLOAT32 = 1;
const INT64 = 7;

/** Read the file; raises ReleaseError where it is damaged or keeps weights elsewhere. */
export function readGraph(file: Uint8Array): Graph {
  for (const { number, value } of fields(file)) {
    if (number === MODEL.graph) return graphOf(bytesOf(value));
  }
  throw new ReleaseError("The ONNX file has no graph");
}

function graphOf(message: Uint8Array): Graph {
  const nodes: Node[] = [];
  const stored = new Map<string, Tensor>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  for (const { number, value } of fields(message)) {
    if (number === GRAPH.node) nodes.push(nodeOf(bytesOf(value)));
    if (number === GRAPH.initializer) stored.set(...tensorOf(bytesOf(value)));
    if (number === GRAPH.input) inputs.push(nameOf(bytesOf(value)));
    if (number === GRAPH.output) outputs.push(nameOf(bytesOf(value)));
  }
  return { nodes, stored, inputs: inputs.filter((name) => !stored.has(name)), outputs };
}

function nameOf(message: Uint8Array): string {
  for (const { number, value } of fields(message)) {
    if (number === VALUE_NAME) return textOf(value);
  }
  return "";
}

function nodeOf(message: Uint8Array): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, readonly number[]>();
  let [operator, domain] = ["", ""];
  for (const { number, value } of fields(message)) {
    if (number === NODE.input) inputs.push(textOf(value));
    if (number === NODE.output) outputs.push(textOf(value));
    if (number === NODE.operator) operator = textOf(value);
    if (number === NODE.domain) domain = textOf(value);
    if (number === NODE.attribute) attributes.set(...attributeOf(bytesOf(value)));
  }
  return { operator: domain === "" ? operator : `${domain}.${operator}`, inputs, outputs, attributes };
}

function attributeOf(message: Uint8Array): [string, readonly number[]] {
  let name = "";
  const numbers: number[] = [];
  for (const { number, value } of fields(message)) {
    if (number === ATTRIBUTE.name) name = textOf(value);
    if (number === ATTRIBUTE.float) numbers.push(...floats(value));
    if (number === ATTRIBUTE.integer || number === ATTRIBUTE.integers) numbers.push(...integers(value));
  }
  return [name, numbers];
}

function tensorOf(message: Uint8Array): [string, Tensor] {
  const dims: number[] = [];
  let [name, type] = ["", 0];
  let data: Float32Array | Float64Array | null = null;
  for (const { number, value } of fields(message)) {
    if (number === TENSOR.dims) dims.push(...integers(value));
    if (number === TENSOR.type) type = Number(value);
    if (number === TENSOR.name) name = textOf(value);
    if (number === TENSOR.floats) data = floats(value);
    if (number === TENSOR.integers) data = Float64Array.from(integers(value));
    if (number === TENSOR.raw) data = rawOf(bytesOf(value), type);
    if (number === TENSOR.external) {
      throw new ReleaseError(`The ONNX file keeps ${name || "weights"} in another file`);
    }
  }
  const size = dims.reduce((product, dim) => product * dim, 1);
  if ((data?.length ?? 0) !== size) throw new ReleaseError(`The ONNX file's tensor ${name} is not whole`);
  return [name, { dims, data: data ?? new Float32Array() }];
}

/** The exporter writes a tensor's type before its bytes, as the field numbers ask. */
function rawOf(bytes: Uint8Array, type: number): Float32Array | Float64Array {
  if (type === FLOAT32) return floats(bytes);
  if (type === INT64 && bytes.length % 8 === 0) {
    return Float64Array.from(new BigInt64Array(bytes.slice().buffer), Number);
  }
  throw new ReleaseError(`The ONNX file has a tensor of type ${type}, which the TypeScript engine does not read`);
}
