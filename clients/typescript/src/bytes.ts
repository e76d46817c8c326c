// Bytes, and their text.

import { SextantError, StatementError } from "./errors.js";

/** `0x` and hex digits. */
export type Hex = `0x${string}`;

/** One after the other. */
export function concat(...pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joined(pieces);
}

/** As {@link concat}, of any number: a call takes only so many arguments. */
export function joined(pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Whether two are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Bytes as text. */
export function toHex(data: Uint8Array): Hex {
  return `0x${Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** Bytes of `0x` and hex digits; exactly `size` of them, if given. Throws {@link StatementError}. */
export function hexBytes(text: string, size?: number): Uint8Array<ArrayBuffer> {
  const shown = text.length > 20 ? `${text.slice(0, 20)}...` : text;
  if (!text.startsWith("0x")) throw new StatementError(`"${shown}" does not begin with 0x`);
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(text.slice(2))) throw new StatementError(`"${shown}" is no hex`);
  const data = new Uint8Array(text.length / 2 - 1);
  for (let at = 0; at < data.length; at += 1) data[at] = Number.parseInt(text.slice(2 * at + 2, 2 * at + 4), 16);
  if (size !== undefined && data.length !== size) {
    throw new StatementError(`${size} bytes are due, here are ${data.length}: ${shown}`);
  }
  return data;
}

/** A number in so many bytes, the least significant first. */
export function littleEndian(value: bigint | number, size: number): Uint8Array<ArrayBuffer> {
  const number = BigInt(value);
  if (number < 0n || number >> BigInt(8 * size)) throw new SextantError(`${number} does not fit ${size} bytes`);
  const data = new Uint8Array(size);
  let rest = number;
  for (let at = 0; rest > 0n; at += 1) {
    data[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return data;
}

/** The number in some bytes, the most significant first. */
export function bigEndianNumber(data: Uint8Array): bigint {
  return data.length === 0 ? 0n : BigInt(toHex(data));
}

/** SHA-256, by the platform. */
export async function sha256(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  // Browsers have it for pages that came over https or from this machine, and for no others.
  if (globalThis.crypto?.subtle === undefined) {
    throw new SextantError("no SHA-256 here: browsers have crypto.subtle only for pages that came over https");
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data as Uint8Array<ArrayBuffer>));
}
