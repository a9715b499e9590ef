/** Numbers of single precision as few digits as tell them apart. */

const MOST_DIGITS = 9;

/** The doubles with nine digits that round to these floats: half as long in JSON as the floats' own doubles. */
export function shortestFloats(values: Float32Array): number[] {
  return Array.from(values, (value) => Number(value.toPrecision(MOST_DIGITS)));
}
