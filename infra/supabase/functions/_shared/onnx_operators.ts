/** The operators that an exported user tower is made of, by their names in ONNX (opset 18). */

import type { Node } from "./onnx_model.ts";
import { ReleaseError } from "./release_error.ts";
import { axisOf, commonShape, emptyLike, joined, sizeOf, sliced, stretched, type Tensor } from "./tensor.ts";

export type Operator = (inputs: readonly (Tensor | undefined)[], node: Node) => Tensor;

/** Which names can be run; a file with another one is refused when it is opened. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ["Abs", ([x]) => each(x, Math.abs)],
  ["Add", ([a, b]) => pairwise(a, b, (x, y) => x + y)],
  ["Clip", ([x, least, most]) => clip(x, least, most)],
  ["Concat", (parts, node) => concat(parts, attribute(node, "axis", 0))],
  ["Div", ([a, b]) => pairwise(a, b, (x, y) => x / y)],
  ["Expand", ([x, shape]) => expand(x, shape)],
  ["Gemm", gemm],
  ["Log", ([x]) => each(x, Math.log)],
  ["Mul", ([a, b]) => pairwise(a, b, (x, y) => x * y)],
  ["ReduceL2", reduceL2],
  ["Relu", ([x]) => each(x, (value) => Math.max(value, 0))],
  ["Shape", ([x], node) => shape(x, node)],
  ["Sign", ([x]) => each(x, Math.sign)],
  ["Slice", slice],
]);

function given(tensor: Tensor | undefined): Tensor {
  if (tensor === undefined) throw new ReleaseError("The ONNX file's graph lacks an input");
  return tensor;
}

function attribute(node: Node, name: string, otherwise: number): number {
  return node.attributes.get(name)?.[0] ?? otherwise;
}

function each(x: Tensor | undefined, of: (value: number) => number): Tensor {
  const { dims, data } = given(x);
  return { dims, data: data.map(of) };
}

function pairwise(a: Tensor | undefined, b: Tensor | undefined, of: (x: number, y: number) => number): Tensor {
  const dims = commonShape(given(a).dims, given(b).dims);
  const x = stretched(given(a), dims);
  const y = stretched(given(b), dims);
  const out = emptyLike(x, dims);
  for (let place = 0; place < out.data.length; place++) {
    out.data[place] = of(x.data[place] ?? 0, y.data[place] ?? 0);
  }
  return out;
}

function clip(x: Tensor | undefined, least: Tensor | undefined, most: Tensor | undefined): Tensor {
  const [low, high] = [least?.data[0] ?? -Infinity, most?.data[0] ?? Infinity];
  return each(x, (value) => Math.min(Math.max(value, low), high));
}

function concat(parts: readonly (Tensor | undefined)[], axis: number): Tensor {
  const tensors = parts.map(given);
  return joined(tensors, axisOf(axis, given(parts[0]).dims.length));
}

function expand(x: Tensor | undefined, wanted: Tensor | undefined): Tensor {
  return stretched(given(x), commonShape(given(x).dims, [...given(wanted).data]));
}

function shape(x: Tensor | undefined, node: Node): Tensor {
  const { dims } = given(x);
  const part = dims.slice(attribute(node, "start", 0), attribute(node, "end", dims.length));
  return { dims: [part.length], data: Float64Array.from(part) };
}

function slice([x, starts, ends, axes, steps]: readonly (Tensor | undefined)[]): Tensor {
  if (steps?.data.some((step) => step !== 1)) throw new ReleaseError("The ONNX file slices with steps");
  let out = given(x);
  given(starts).data.forEach((start, place) => {
    const axis = axisOf(axes?.data[place] ?? place, out.dims.length);
    out = sliced(out, axis, start, given(ends).data[place] ?? 0);
  });
  return out;
}

function reduceL2([x, axes]: readonly (Tensor | undefined)[], node: Node): Tensor {
  const { dims, data } = given(x);
  const last = dims.length - 1;
  if (given(axes).data.length !== 1 || axisOf(given(axes).data[0] ?? 0, dims.length) !== last) {
    throw new ReleaseError("The ONNX file takes lengths along another axis than the last");
  }
  const width = dims[last] ?? 1;
  const rows = sizeOf(dims.slice(0, last));
  const out = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (const value of data.subarray(row * width, (row + 1) * width)) sum += value * value;
    out[row] = Math.sqrt(sum);
  }
  return { dims: attribute(node, "keepdims", 1) === 1 ? dims.with(last, 1) : dims.slice(0, last), data: out };
}

/** alpha · a · bᵀ + beta · c. Zeros of `a` are skipped: most of a user's features are. Sums are of double precision. */
function gemm([a, b, c]: readonly (Tensor | undefined)[], node: Node): Tensor {
  if (attribute(node, "transA", 0) !== 0 || attribute(node, "transB", 0) !== 1) {
    throw new ReleaseError("The ONNX file has a Gemm whose weights lie another way");
  }
  const [rows = 0, width = 0] = given(a).dims;
  const [columns = 0, weightWidth = 0] = given(b).dims;
  if (width !== weightWidth) throw new ReleaseError(`A Gemm of ${width} numbers with weights for ${weightWidth}`);
  const [alpha, beta] = [attribute(node, "alpha", 1), attribute(node, "beta", 1)];
  const bias = c === undefined ? undefined : stretched(c, [rows, columns]).data;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const sums = products(given(a).data.subarray(row * width, (row + 1) * width), given(b).data, columns);
    for (let column = 0; column < columns; column++) {
      const place = row * columns + column;
      out[place] = alpha * (sums[column] ?? 0) + beta * (bias?.[place] ?? 0);
    }
  }
  return { dims: [rows, columns], data: out };
}

/** The product of one row with each row of the weights: four at once, so that each number of the row is read once. */
function products(x: Tensor["data"], weights: Tensor["data"], columns: number): Float64Array {
  const width = x.length;
  const used = new Int32Array(width);
  const values = new Float64Array(width);
  let count = 0;
  x.forEach((value, place) => {
    if (value === 0) return;
    used[count] = place;
    values[count++] = value;
  });
  // Weights beyond the last column are read as those of the last one, and their sums are dropped.
  const sums = new Float64Array(columns + 3);
  for (let column = 0; column < columns; column += 4) {
    const [a, b, c, d] = [0, 1, 2, 3].map((more) => Math.min(column + more, columns - 1) * width) as Four;
    let [sumA, sumB, sumC, sumD] = [0, 0, 0, 0];
    for (let at = 0; at < count; at++) {
      const place = used[at] as number;
      const value = values[at] as number;
      sumA += value * (weights[a + place] as number);
      sumB += value * (weights[b + place] as number);
      sumC += value * (weights[c + place] as number);
      sumD += value * (weights[d + place] as number);
    }
    sums.set([sumA, sumB, sumC, sumD], column);
  }
  return sums;
}

type Four = [number, number, number, number];
