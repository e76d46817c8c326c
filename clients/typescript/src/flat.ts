// The flat encoding of statement inputs, the bytes that a guest program reads: integers are little-endian and fixed-width,
// byte arrays stand as they are, a list is a `u32` count and its elements, a blob a `u32` length and its bytes.

import { concat, joined } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { type Codec, Reader, U32 } from "./wire.js";

/** Bytes after their length. */
export const BLOB: Codec<Uint8Array> = {
  write: (value) => concat(U32.write(value.length), value),
  read: (reader) => reader.take(U32.read(reader)).slice(),
};

/** Elements after their count. */
export function listOf<T>(item: Codec<T>): Codec<T[]> {
  return {
    write: (values) => joined([U32.write(values.length), ...values.map((value) => item.write(value))]),
    read(reader) {
      const found: T[] = [];
      for (let due = U32.read(reader); due > 0; due -= 1) {
        // Every element takes at least one byte.
        if (reader.left === 0) throw new MalformedError("a list ends before its count");
        found.push(item.read(reader));
      }
      return found;
    },
  };
}

/** So many elements, without a count. */
export function fixed<T>(item: Codec<T>, count: number): Codec<T[]> {
  return {
    write: (values) => joined(values.map((value) => item.write(value))),
    read: (reader) => Array.from({ length: count }, () => item.read(reader)),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any type of member.
type Members = Record<string, Codec<any>>;

/** Member after member, in the order in which they stand here. */
export function struct<M extends Members>(members: M): Codec<{ [K in keyof M]: M[K] extends Codec<infer T> ? T : never }> {
  type Whole = { [K in keyof M]: M[K] extends Codec<infer T> ? T : never };
  return {
    write: (value) => concat(...Object.entries(members).map(([key, codec]) => codec.write(value[key]))),
    read: (reader) => Object.fromEntries(Object.entries(members).map(([key, codec]) => [key, codec.read(reader)])) as Whole,
  };
}

/** The value that takes up all of `data`. Throws {@link MalformedError}. */
export function decodeFlat<T>(codec: Codec<T>, data: Uint8Array): T {
  const reader = new Reader(data);
  const value = codec.read(reader);
  if (reader.left > 0) throw new MalformedError(`${reader.left} bytes left over`);
  return value;
}
