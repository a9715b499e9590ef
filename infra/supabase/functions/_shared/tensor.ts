/** Numbers with a shape, and moving them about: what the operators are written with. */

import { ReleaseError } from "./release_error.ts";

/** Row-major numbers: float32, or whole numbers (shapes and bounds) as doubles. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array | Float64Array;
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Zeros of a kind with `like`. */
export function emptyLike(like: Tensor, dims: readonly number[]): Tensor {
  const size = sizeOf(dims);
  return { dims, data: like.data instanceof Float64Array ? new Float64Array(size) : new Float32Array(size) };
}

/** An axis that may count from the end, as a place from the front. */
export function axisOf(axis: number, rank: number): number {
  const place = axis < 0 ? axis + rank : axis;
  if (!(place >= 0 && place < rank)) throw new ReleaseError(`Axis ${axis} of a tensor with ${rank} dimensions`);
  return place;
}

/** The shape that two shapes are stretched to, as numpy does. */
export function commonShape(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, place) => {
    const [x, y] = [a[place - rank + a.length] ?? 1, b[place - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) throw new ReleaseError(`Shapes [${a}] and [${b}] do not fit`);
    return x === 1 ? y : x;
  });
}

/** The tensor with its dimensions of 1, and those it lacks at the front, repeated. */
export function stretched(tensor: Tensor, dims: readonly number[]): Tensor {
  const { data } = tensor;
  if (data.length === sizeOf(dims)) return { dims, data };
  const steps = stepsOf(tensor.dims, dims.length);
  const out = emptyLike(tensor, dims);
  const index = new Array<number>(dims.length).fill(0);
  for (let place = 0; place < out.data.length; place++) {
    let from = 0;
    index.forEach((at, axis) => {
      from += at * (steps[axis] ?? 0);
    });
    out.data[place] = data[from] ?? 0;
    advance(index, dims);
  }
  return out;
}

/** How far apart neighbours along each axis lie; 0 along an axis that is repeated. */
function stepsOf(dims: readonly number[], rank: number): number[] {
  const steps = new Array<number>(rank).fill(0);
  let step = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const dim = dims[axis] ?? 1;
    if (dim !== 1) steps[axis + rank - dims.length] = step;
    step *= dim;
  }
  return steps;
}

function advance(index: number[], dims: readonly number[]): void {
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const next = (index[axis] ?? 0) + 1;
    index[axis] = next < (dims[axis] ?? 1) ? next : 0;
    if (index[axis] !== 0) return;
  }
}

/** Part of a tensor along one axis, `start` included and `end` not. */
export function sliced(tensor: Tensor, axis: number, start: number, end: number): Tensor {
  const dim = tensor.dims[axis] ?? 1;
  const [from, to] = [bounded(start, dim), bounded(end, dim)];
  const dims = tensor.dims.with(axis, Math.max(0, to - from));
  const out = emptyLike(tensor, dims);
  const inner = sizeOf(tensor.dims.slice(axis + 1));
  const outer = sizeOf(tensor.dims.slice(0, axis));
  const row = Math.max(0, to - from) * inner;
  for (let place = 0; place < outer; place++) {
    const at = (place * dim + from) * inner;
    out.data.set(tensor.data.subarray(at, at + row), place * row);
  }
  return out;
}

function bounded(place: number, dim: number): number {
  return Math.min(Math.max(place < 0 ? place + dim : place, 0), dim);
}

/** Tensors behind one another along one axis. */
export function joined(parts: readonly Tensor[], axis: number): Tensor {
  const [first] = parts;
  if (first === undefined) throw new ReleaseError("Nothing to join");
  const dims = first.dims.with(axis, parts.reduce((sum, part) => sum + (part.dims[axis] ?? 0), 0));
  const out = emptyLike(first, dims);
  const outer = sizeOf(dims.slice(0, axis));
  let at = 0;
  for (let place = 0; place < outer; place++) {
    for (const part of parts) {
      const row = part.data.length / outer;
      out.data.set(part.data.subarray(place * row, (place + 1) * row), at);
      at += row;
    }
  }
  if (at !== out.data.length) throw new ReleaseError(`Parts do not fill the shape [${dims}]`);
  return out;
}
