// What a server can beyond what every one of its version can. Whoever does not list it does not know the request, and is not asked.

import type { Connection } from "./connection.js";
import { NotOfferedError } from "./errors.js";

const ALL = {
  wrap: "make SNARKs of proofs that are there already",
  bundle: "bundle proofs",
  chain: "extend a chain of committees",
};
/** A capability that this version makes use of. */
export type Capability = keyof typeof ALL;

/** Throws {@link NotOfferedError} where the server does not list it. */
export function checkOffered(connection: Connection, capability: Capability): void {
  if (!connection.capabilities.includes(capability)) throw new NotOfferedError(capability, ALL[capability]);
}
