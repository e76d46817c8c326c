// The encoding of messages: section 2 of docs/protocol.md.

import { concat, type Hex, hexBytes, joined, littleEndian, toHex } from "./bytes.js";
import { MalformedError } from "./errors.js";

/** Takes values off the front of some bytes. */
export class Reader {
  #data: Uint8Array;

  constructor(data: Uint8Array) {
    // Of a node `Buffer`, which is one too, `slice` would be no copy.
    this.#data = new Uint8Array(data.buffer, data.byteOffset, data.length);
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#data.length;
  }

  /** The next `count` bytes. They are a view, not a copy. */
  take(count: number): Uint8Array {
    if (count > this.left) throw new MalformedError(`${count} bytes wanted, ${this.left} left`);
    const head = this.#data.subarray(0, count);
    this.#data = this.#data.subarray(count);
    return head;
  }

  /** A little-endian integer of `size` bytes. */
  integer(size: number): bigint {
    return this.take(size).reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
  }

  /** One that a number of this language holds exactly, as all that counts bytes here is. */
  size(size: number): number {
    const number = this.integer(size);
    if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedError(`a count of ${number}`);
    return Number(number);
  }
}

/** How values of one type are written and read. */
export interface Codec<T> {
  write(value: T): Uint8Array;
  read(reader: Reader): T;
}

/** The values of a codec. */
export type Value<C> = C extends Codec<infer T> ? T : never;

function integer(size: number): Codec<bigint> {
  return { write: (value) => littleEndian(value, size), read: (reader) => reader.integer(size) };
}

function count(size: number): Codec<number> {
  return { write: (value) => littleEndian(value, size), read: (reader) => reader.size(size) };
}

/** So many bytes, without a length. */
export function array(size: number): Codec<Uint8Array> {
  return {
    write(value) {
      if (value.length !== size) throw new MalformedError(`${size} bytes are wanted, not ${value.length}`);
      return value;
    },
    read: (reader) => reader.take(size).slice(),
  };
}

export const U16 = count(2);
export const U32 = count(4);
/** A `u64` that may be anything. */
export const U64 = integer(8);
/** A `u64` that is an id, or a number of bytes: under 2^53. */
export const SIZE = count(8);

/** One byte, 0 or 1. */
export const BOOL: Codec<boolean> = {
  write: (value) => Uint8Array.of(value ? 1 : 0),
  read(reader) {
    const byte = reader.size(1);
    if (byte > 1) throw new MalformedError(`${byte} is no truth value`);
    return byte === 1;
  },
};

/** 32 bytes, as text. */
export const HASH: Codec<Hex> = {
  write: (value) => hexBytes(value, 32),
  read: (reader) => toHex(reader.take(32)),
};

/** Bytes after their count. */
export const BYTES: Codec<Uint8Array> = {
  write: (value) => concat(littleEndian(value.length, 8), value),
  read: (reader) => reader.take(reader.size(8)).slice(),
};

/** UTF-8 after its length in bytes. */
export const TEXT: Codec<string> = {
  write: (value) => BYTES.write(new TextEncoder().encode(value)),
  read(reader) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(reader.take(reader.size(8)));
    } catch (error) {
      if (error instanceof TypeError) throw new MalformedError("text that is no UTF-8");
      throw error;
    }
  },
};

/** Values of one type after their count. Those that this version does not know, read as `undefined`, are left out. */
export function items<T>(item: Codec<T | undefined>): Codec<T[]> {
  return {
    write: (values) => joined([littleEndian(values.length, 8), ...values.map((value) => item.write(value))]),
    read(reader) {
      const found: T[] = [];
      for (let due = reader.size(8); due > 0; due -= 1) {
        if (reader.left === 0) throw new MalformedError("a list ends before its count");
        const value = item.read(reader);
        if (value !== undefined) found.push(value);
      }
      return found;
    },
  };
}

/** A field of a record: its tag, its type, and what a missing one is. Without that, it must be there. */
export interface Field<T> {
  tag: number;
  codec: Codec<T>;
  missing?: () => T;
}

/** A field that must be there, or whose default is given. */
export function field<T>(tag: number, codec: Codec<T>, missing?: () => T): Field<T> {
  return missing ? { tag, codec, missing } : { tag, codec };
}

/** A field that may be left out. */
export function optional<T>(tag: number, codec: Codec<T>): Field<T | undefined> {
  return { tag, codec: codec as Codec<T | undefined>, missing: () => undefined };
}

// biome-ignore lint/suspicious/noExplicitAny: any type of field.
type Fields = Record<string, Field<any>>;
type Values<F extends Fields> = { [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Fields in the order of their tags, to the end of the bytes. */
export function record<F extends Fields>(name: string, fields: F): Codec<Values<F>> {
  const byTag = new Map(Object.entries(fields).map(([key, one]) => [one.tag, { key, ...one }]));
  return {
    write(value) {
      const pieces: Uint8Array[] = [];
      for (const { tag, key, codec } of byTag.values()) {
        if (value[key] === undefined) continue;
        const content = codec.write(value[key]);
        pieces.push(littleEndian(tag, 2), littleEndian(content.length, 4), content);
      }
      return concat(...pieces);
    },
    read(reader) {
      const found: Record<string, unknown> = {};
      for (let last = -1; reader.left > 0; ) {
        const tag = reader.size(2);
        const content = new Reader(reader.take(reader.size(4)));
        if (tag <= last) throw new MalformedError(`${name}: field ${tag} after field ${last}`);
        last = tag;
        const known = byTag.get(tag);
        if (known === undefined) continue; // of a later version
        found[known.key] = known.codec.read(content);
        if (content.left > 0) throw new MalformedError(`${name}.${known.key}: ${content.left} bytes left over`);
      }
      for (const [key, { missing }] of Object.entries(fields)) {
        if (key in found) continue;
        if (missing === undefined) throw new MalformedError(`${name}: no ${key}`);
        found[key] = missing();
      }
      return found as Values<F>;
    },
  };
}

/** Records, each after its length. */
export function records<T>(one: Codec<T>): Codec<T[]> {
  return {
    write(values) {
      const encoded = values.map((value) => one.write(value));
      return concat(...encoded.flatMap((content) => [littleEndian(content.length, 4), content]));
    },
    read(reader) {
      const found: T[] = [];
      while (reader.left > 0) found.push(one.read(new Reader(reader.take(reader.size(4)))));
      return found;
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any record.
type Variants = Record<string, readonly [tag: number, record: Codec<any>]>;
type Union<D extends string, V extends Variants> = {
  [K in keyof V]: { [P in D]: K } & Value<V[K][1]>;
}[keyof V];

/** One of several records after its tag; its name is in the property `by`. A tag that this version does not know reads as `undefined`. */
export function tagged<D extends string, V extends Variants>(by: D, variants: V): Codec<Union<D, V> | undefined> {
  const byTag = new Map(Object.entries(variants).map(([name, [tag, codec]]) => [tag, { name, codec }]));
  return {
    write(value) {
      const variant = variants[(value as Record<D, string>)[by]];
      if (variant === undefined) throw new MalformedError("a message that is none");
      return concat(littleEndian(variant[0], 2), variant[1].write(value));
    },
    read(reader) {
      const variant = byTag.get(reader.size(2));
      if (variant === undefined) {
        reader.take(reader.left);
        return undefined;
      }
      return { [by]: variant.name, ...variant.codec.read(reader) };
    },
  };
}
