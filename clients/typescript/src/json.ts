// JSON of a node's: whatever is missing or misshapen is named.

import { hexBytes } from "./bytes.js";
import { StatementError } from "./errors.js";

/** What `JSON.parse` gives. */
export type Json = unknown;

/** Whether an object has this. */
export function has(json: Json, name: string): boolean {
  return typeof json === "object" && json !== null && Object.hasOwn(json, name);
}

/** A member, or one of a member, and so on. Throws {@link StatementError}. */
export function at(json: Json, ...path: string[]): Json {
  let here = json;
  for (const name of path) {
    if (!has(here, name)) throw new StatementError(`no ${name} in what the node answers`);
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

/** A list that is a member. */
export function listAt(json: Json, ...path: string[]): Json[] {
  const found = at(json, ...path);
  if (!Array.isArray(found)) throw new StatementError(`${path.at(-1)} is no list`);
  return found;
}

/** Text. */
export function text(json: Json, name: string): string {
  if (typeof json !== "string") throw new StatementError(`${name} is no text`);
  return json;
}

/** Text that is a member. */
export function textAt(json: Json, ...path: string[]): string {
  return text(at(json, ...path), path.at(-1) ?? "");
}

/** A decimal number that is a member, of so many bits. */
export function numberAt(json: Json, path: string[], bits = 64): bigint {
  const found = at(json, ...path);
  const digits = typeof found === "number" ? String(found) : textAt(json, ...path);
  if (!/^[0-9]{1,78}$/.test(digits) || BigInt(digits) >> BigInt(bits)) {
    throw new StatementError(`${path.at(-1)}: "${digits.slice(0, 20)}" is no number of ${bits} bits`);
  }
  return BigInt(digits);
}

/** Bytes that are a member; exactly `size` of them, if given. */
export function bytesAt(json: Json, path: string[], size?: number): Uint8Array<ArrayBuffer> {
  try {
    return hexBytes(textAt(json, ...path), size);
  } catch (error) {
    throw error instanceof StatementError ? new StatementError(`${path.at(-1)}: ${error.message}`) : error;
  }
}

/** Hashes that are a member. */
export function hashesAt(json: Json, ...path: string[]): Uint8Array[] {
  const name = path.at(-1) ?? "";
  return listAt(json, ...path).map((one) => hexBytes(text(one, name), 32));
}
