// What a client says: section 5 of docs/protocol.md, in that page's words.

import { concat, type Hex, sha256, toHex } from "./bytes.js";
import { array, BYTES, type Codec, field, HASH, items, optional, record, SIZE, TEXT, tagged, U32, type Value } from "./wire.js";

export const VERSION = 3;
export const MAX_HANDSHAKE_FRAME = 4_096;
export const MAX_FRAME = 320 << 10;
export const PART = 256 << 10;
export const MAX_RECORD = 256 << 20;

const PROGRAMS = ["", "committee-change", "inclusion", "bundle", "chain"] as const;
/** Which statement a proof is of. */
export type Program = Exclude<(typeof PROGRAMS)[number], "">;
/** Those whose statements are proven from an input of their own; the others' from proofs. */
export type InputProgram = "committee-change" | "inclusion";

/** The program of a tag; `undefined` for one that this version does not know. */
export function programOf(tag: number): Program | undefined {
  return PROGRAMS[tag] || undefined;
}

/** By name; the number of one that this version does not know. */
export const PROGRAM: Codec<Program | number> = {
  write: (value) => U32.write(typeof value === "number" ? value : PROGRAMS.indexOf(value)),
  read(reader) {
    const number = U32.read(reader);
    return programOf(number) ?? number;
  },
};

const KINDS = ["stark", "compressed", "groth16", "plonk", "bundled"] as const;
/** Form of a proof: made fastest, one small size, for contracts, or for contracts as a place in a bundle of many. */
export type ProofKind = (typeof KINDS)[number];

/** By name; one that this version does not know reads as `undefined`. */
export const KIND: Codec<ProofKind | undefined> = {
  write(value) {
    const number = KINDS.indexOf(value as ProofKind);
    // Who writes JavaScript is told, rather than asked for another kind.
    if (number < 0) throw new TypeError(`${value} is no kind of proof: ${KINDS.join(", ")}`);
    return U32.write(number);
  },
  read: (reader) => KINDS[U32.read(reader)],
};

export const STATEMENT_INPUT = record("StatementInput", { program: field(1, PROGRAM), bytes: field(2, BYTES) });

/** A statement and its evidence, in the bytes that the guest program reads. */
export interface StatementInput {
  program: InputProgram;
  bytes: Uint8Array;
}

/** The input digest: SHA-256 of program tag and bytes. */
export async function inputDigest(input: StatementInput): Promise<Hex> {
  return toHex(await sha256(concat(PROGRAM.write(input.program), input.bytes)));
}

const PROVE = record("ProveRequest", {
  input: field(1, STATEMENT_INPUT),
  kind: field(2, KIND),
  deadlineMs: field(3, SIZE, () => 0),
  vkHash: optional(4, HASH),
  more: field(5, SIZE, () => 0),
});

const WRAP = record("WrapRequest", {
  record: field(1, BYTES),
  kind: field(2, KIND),
  deadlineMs: field(3, SIZE, () => 0),
  more: field(4, SIZE, () => 0),
});

const BUNDLE = record("BundleRequest", {
  records: field(1, BYTES),
  kind: field(2, KIND),
  deadlineMs: field(3, SIZE, () => 0),
  vkHash: optional(4, HASH),
  more: field(5, SIZE, () => 0),
  program: field<Program | number>(6, PROGRAM, () => "bundle"),
});

export const REQUEST = tagged("ask", {
  ping: [0, record("Ping", {})],
  info: [1, record("Info", {})],
  prove: [2, PROVE],
  verify: [3, record("Verify", { record: field(1, BYTES), more: field(2, SIZE, () => 0) })],
  submit: [4, PROVE],
  fetch: [5, record("Fetch", { job: field(1, HASH), offset: field(2, SIZE, () => 0), deadlineMs: field(3, SIZE, () => 0) })],
  withdraw: [6, record("Withdraw", { job: field(1, HASH) })],
  wrap: [7, WRAP],
  submitWrap: [8, WRAP],
  bundle: [9, BUNDLE],
  submitBundle: [10, BUNDLE],
});
export type Request = NonNullable<Value<typeof REQUEST>>;

const MAGIC = new TextEncoder().encode("SEXTANT\0");

export const CLIENT_MESSAGE = tagged("type", {
  hello: [
    0,
    record("Hello", {
      magic: field(1, array(8)),
      oldest: field(2, U32),
      newest: field(3, U32),
      agent: field(4, TEXT, () => ""),
      capabilities: field(5, items(TEXT as Codec<string | undefined>), () => [] as string[]),
    }),
  ],
  introduction: [
    1,
    record("Introduction", {
      token: field(1, TEXT, () => ""),
      hops: field(2, U32, () => 0),
      onBehalf: field(3, TEXT, () => ""),
    }),
  ],
  request: [2, record("Request", { id: field(1, SIZE), request: field(2, REQUEST) })],
  part: [3, record("Part", { id: field(1, SIZE), offset: field(2, SIZE), bytes: field(3, BYTES) })],
  cancel: [4, record("Cancel", { id: field(1, SIZE) })],
});
export type ClientMessage = NonNullable<Value<typeof CLIENT_MESSAGE>>;

/** The first message on a connection. */
export function hello(agent: string): ClientMessage {
  return { type: "hello", magic: MAGIC, oldest: VERSION, newest: VERSION, agent, capabilities: [] };
}
