// Solidity's ABI encoding, as far as public values use it. Only the one encoding that `abi.encode` writes is read: each offset
// where it puts it, zeros for padding, nothing left over.

import { bigEndianNumber, type Hex, toHex } from "./bytes.js";
import { MalformedError } from "./errors.js";

const WORD = 32;

/** How values of a type are laid out. `dynamic` ones stand behind the others, which hold their offset. */
export interface Kind<T> {
  dynamic: boolean;
  /** Bytes in the head. */
  size: number;
  /** The value at `at`, and where it ends. */
  decode(data: Uint8Array, at: number): [value: T, end: number];
}

/** The values of a kind. */
export type Decoded<K> = K extends Kind<infer T> ? T : never;

function word(data: Uint8Array, at: number): Uint8Array {
  if (at + WORD > data.length) throw new MalformedError(`public values end at byte ${data.length}, in the middle`);
  return data.subarray(at, at + WORD);
}

/** A type of one word, of which `bits` may be set. */
function inWord<T>(name: string, bits: number, from: (word: Uint8Array) => T): Kind<T> {
  return {
    dynamic: false,
    size: WORD,
    decode(data, at) {
      const one = word(data, at);
      if (bigEndianNumber(one) >> BigInt(bits)) throw new MalformedError(`public values, byte ${at}: no ${name}`);
      return [from(one), at + WORD];
    },
  };
}

export const BOOL = inWord("bool", 1, (one) => one[WORD - 1] === 1);
export const UINT32 = inWord("uint32", 32, (one) => Number(bigEndianNumber(one)));
export const UINT64 = inWord("uint64", 64, bigEndianNumber);
export const UINT256 = inWord("uint256", 256, bigEndianNumber);
export const ADDRESS = inWord("address", 160, (one) => toHex(one.subarray(12)));
export const HASH = inWord("bytes32", 256, toHex);

/** A length or an offset: whatever is larger than the data is as wrong as the data's own length. */
function length(data: Uint8Array, at: number): number {
  const [value] = UINT64.decode(data, at);
  return value > BigInt(data.length) ? data.length + 1 : Number(value);
}

/** `bytes`. */
export const BYTES: Kind<Hex> = {
  dynamic: true,
  size: WORD,
  decode(data, at) {
    const count = length(data, at);
    const start = at + WORD;
    const end = start + Math.ceil(count / WORD) * WORD;
    if (end > data.length || data.subarray(start + count, end).some((byte) => byte !== 0)) {
      throw new MalformedError(`public values, byte ${at}: bytes of the wrong length, or padded with something`);
    }
    return [toHex(data.subarray(start, start + count)), end];
  },
};

/** `T[]`. */
export function list<T>(item: Kind<T>): Kind<T[]> {
  return {
    dynamic: true,
    size: WORD,
    decode(data, at) {
      const count = length(data, at);
      const start = at + WORD;
      if (count * item.size > data.length - start) {
        throw new MalformedError(`public values, byte ${at}: a list of ${count} does not fit`);
      }
      const [values, end] = members(Array<Kind<T>>(count).fill(item), data, start);
      return [values as T[], end];
    },
  };
}

/** `T[]` that has just one, which stands for it. */
export function only<T>(item: Kind<T>): Kind<T> {
  const items = list(item);
  return {
    ...items,
    decode(data, at) {
      const [values, end] = items.decode(data, at);
      if (values.length !== 1) throw new MalformedError(`public values, byte ${at}: a list of ${values.length}, of one is due`);
      return [values[0] as T, end];
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: any type of member.
type Members = Record<string, Kind<any>>;

/** A structure, member by member as they stand here. */
export function struct<M extends Members>(kinds: M): Kind<{ [K in keyof M]: M[K] extends Kind<infer T> ? T : never }> {
  type Whole = { [K in keyof M]: M[K] extends Kind<infer T> ? T : never };
  const all = Object.values(kinds);
  const dynamic = all.some((kind) => kind.dynamic);
  return {
    dynamic,
    size: dynamic ? WORD : all.reduce((size, kind) => size + kind.size, 0),
    decode(data, at) {
      const [values, end] = members(all, data, at);
      return [Object.fromEntries(Object.keys(kinds).map((key, place) => [key, values[place]])) as Whole, end];
    },
  };
}

/** What `abi.encode` made `data` of: a dynamic structure. Throws {@link MalformedError} for anything else. */
export function decodeAbi<T>(kind: Kind<T>, data: Uint8Array): T {
  const [[value], end] = members([kind], data, 0);
  if (end !== data.length) throw new MalformedError(`public values: ${data.length - end} bytes left over`);
  return value as T;
}

function members(kinds: Kind<unknown>[], data: Uint8Array, base: number): [values: unknown[], end: number] {
  let head = base;
  let tail = base + kinds.reduce((size, kind) => size + kind.size, 0);
  const values = kinds.map((kind) => {
    if (!kind.dynamic) {
      const [value, end] = kind.decode(data, head);
      head = end;
      return value;
    }
    if (base + length(data, head) !== tail) {
      throw new MalformedError(`public values, byte ${head}: an offset that leads elsewhere`);
    }
    head += WORD;
    const [value, end] = kind.decode(data, tail);
    tail = end;
    return value;
  });
  return [values, tail];
}
