/** As much of protobuf's wire format as an ONNX file needs: fields of a message, and numbers within them. */

import { ReleaseError } from "./release_error.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** One field: a varint as a signed 64-bit number, or the bytes of anything else. */
export interface Field {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Walk a message's fields in the order they were written. */
export function* fields(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.ended) {
    const tag = Number(reader.varint());
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield { number, value: BigInt.asIntN(64, reader.varint()) };
        break;
      case FIXED64:
        yield { number, value: reader.bytes(8) };
        break;
      case BYTES:
        yield { number, value: reader.bytes(Number(reader.varint())) };
        break;
      case FIXED32:
        yield { number, value: reader.bytes(4) };
        break;
      default:
        throw damaged();
    }
  }
}

/** Whole numbers of a repeated field, packed or one by one. */
export function integers(value: bigint | Uint8Array): number[] {
  if (typeof value === "bigint") return [Number(value)];
  const reader = new Reader(value);
  const numbers: number[] = [];
  while (!reader.ended) numbers.push(Number(BigInt.asIntN(64, reader.varint())));
  return numbers;
}

/** Single-precision numbers, packed or one by one, in memory of their own. */
export function floats(value: bigint | Uint8Array): Float32Array {
  const bytes = bytesOf(value);
  if (bytes.length % 4 !== 0) throw damaged();
  return new Float32Array(bytes.slice().buffer);
}

export function bytesOf(value: bigint | Uint8Array): Uint8Array {
  if (typeof value === "bigint") throw damaged();
  return value;
}

export function textOf(value: bigint | Uint8Array): string {
  return new TextDecoder().decode(bytesOf(value));
}

class Reader {
  #at = 0;

  constructor(readonly message: Uint8Array) {}

  get ended(): boolean {
    return this.#at >= this.message.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.message[this.#at++];
      if (byte === undefined) throw damaged();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw damaged();
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (!(end <= this.message.length)) throw damaged();
    const bytes = this.message.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }
}

function damaged(): ReleaseError {
  return new ReleaseError("The ONNX file is damaged");
}
