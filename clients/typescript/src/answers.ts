// What a server says: section 6 of docs/protocol.md, in that page's words.

import type { Hex } from "./bytes.js";
import { concat } from "./bytes.js";
import { MalformedError } from "./errors.js";
import { KIND, PROGRAM, type ProofKind } from "./requests.js";
import {
  BOOL,
  BYTES,
  type Codec,
  field,
  HASH,
  items,
  Reader,
  record,
  records,
  SIZE,
  TEXT,
  tagged,
  U32,
  U64,
  type Value,
} from "./wire.js";

const ZEROS: Hex = `0x${"00".repeat(32)}`;
const TEXTS = items(TEXT as Codec<string | undefined>);
const KINDS = items<ProofKind>(KIND);

const PROGRESS = tagged("step", {
  checking: [0, record("Checking", {})],
  queued: [1, record("Queued", { position: field(1, U32, () => 0) })],
  preparing: [2, record("Preparing", {})],
  executing: [3, record("Executing", { cycles: field(1, U64, () => 0n) })],
  proving: [4, record("Proving", { done: field(1, U32, () => 0), total: field(2, U32, () => 0) })],
  compressing: [5, record("Compressing", { done: field(1, U32, () => 0) })],
  verifying: [6, record("Verifying", {})],
  done: [7, record("Done", {})],
  shrinking: [8, record("Shrinking", {})],
  wrapping: [9, record("Wrapping", {})],
  snark: [10, record("Snark", {})],
  bundling: [11, record("Bundling", { done: field(1, U32, () => 0), total: field(2, U32, () => 0) })],
  gathering: [
    12,
    record("Gathering", {
      done: field(1, U32, () => 0),
      total: field(2, U32, () => 0),
      waitMs: field(3, U64, () => 0n),
    }),
  ],
});
/** A step on the way to a proof, such as `{ step: "proving", done: 3, total: 5 }`. */
export type Progress = NonNullable<Value<typeof PROGRESS>>;

const FAILURE = record("ServerError", {
  code: field(1, U32),
  message: field(2, TEXT, () => ""),
  retryAfterMs: field(3, U64, () => 0n),
});
export type Failure = Value<typeof FAILURE>;

const COST = record("ProvingCost", {
  cycles: field(1, U64, () => 0n),
  queuedMs: field(2, U64, () => 0n),
  provingMs: field(3, U64, () => 0n),
  peakMemory: field(4, U64, () => 0n),
});
/** What a proof took: cycles, milliseconds in the queue and at work, the worker's peak memory in bytes. */
export type ProvingCost = Value<typeof COST>;

const LIMITS = record("ServerLimits", {
  input: field(1, U64, () => 0n),
  record: field(2, U64, () => 0n),
  requests: field(3, U32, () => 0),
  deadlineMs: field(4, U64, () => 0n),
});
/** Bytes of an input and of a record, open requests, and milliseconds; 0: not said. */
export type ServerLimits = Value<typeof LIMITS>;

const PROGRAM_INFO = record("ProgramInfo", {
  program: field(1, PROGRAM),
  vkHash: field(2, HASH),
  elfSha256: field(3, HASH, () => ZEROS),
  queued: field(4, U32, () => 0),
  queueCapacity: field(5, U32, () => 0),
  running: field(6, U32, () => 0),
  kinds: field(7, KINDS, () => []),
  ready: field(8, BOOL, () => true),
});
/** One program of a server, with its queue. */
export type ProgramInfo = Value<typeof PROGRAM_INFO>;

const INFO = record("ServerInfo", {
  agent: field(1, TEXT, () => ""),
  circuitVersion: field(2, TEXT, () => ""),
  programs: field(3, records(PROGRAM_INFO), () => []),
  kinds: field(4, KINDS, () => []),
  ready: field(5, BOOL, () => true),
  reason: field(6, TEXT, () => ""),
  networks: field(7, TEXTS, () => []),
  oldestVersion: field(8, U32, () => 3),
  newestVersion: field(9, U32, () => 3),
  limits: field(10, LIMITS, () => ({ input: 0n, record: 0n, requests: 0, deadlineMs: 0n })),
  uptimeS: field(11, U64, () => 0n),
});
/** What a server says about itself. */
export type ServerInfo = Value<typeof INFO>;

const PROOF = record("ProofAnswer", {
  inputDigest: field(1, HASH),
  cost: field(2, COST, () => ({ cycles: 0n, queuedMs: 0n, provingMs: 0n, peakMemory: 0n })),
  job: field(3, HASH, () => ZEROS),
  sha256: field(4, HASH),
  offset: field(5, SIZE, () => 0),
  record: field(6, BYTES),
  more: field(7, SIZE, () => 0),
});
/** A proof's record, or its beginning. */
export type ProofAnswer = Value<typeof PROOF>;

const SUBMITTED = record("Submitted", { job: field(1, HASH), keptS: field(2, U64, () => 0n) });
/** A job was taken on: its name, and how long (seconds) it is known why it failed. */
export type Submitted = Value<typeof SUBMITTED>;

const RESPONSE = tagged("answer", {
  pong: [0, record("Pong", {})],
  info: [1, INFO],
  verified: [2, record("Verified", {})],
  proof: [3, PROOF],
  submitted: [4, SUBMITTED],
  withdrawn: [5, record("Withdrawn", {})],
});
export type Response = NonNullable<Value<typeof RESPONSE>>;

/** A response, `undefined` for one of a later version; or an error. */
export type Result = { response: Response | undefined } | { error: Failure };

/** A byte, 0 and a response, or 1 and an error. */
const RESULT: Codec<Result> = {
  write: (value) =>
    "error" in value
      ? concat(Uint8Array.of(1), FAILURE.write(value.error))
      : concat(Uint8Array.of(0), RESPONSE.write(value.response)),
  read(reader) {
    const which = reader.size(1);
    if (which > 1) throw new MalformedError(`a result that is neither success nor error: ${which}`);
    return which === 1 ? { error: FAILURE.read(reader) } : { response: RESPONSE.read(reader) };
  },
};

export const SERVER_MESSAGE = tagged("type", {
  welcome: [
    0,
    record("Welcome", {
      version: field(1, U32),
      agent: field(2, TEXT, () => ""),
      capabilities: field(3, TEXTS, () => []),
    }),
  ],
  refused: [1, FAILURE],
  progress: [2, record("Progress", { id: field(1, SIZE), progress: field(2, PROGRESS) })],
  answer: [3, record("Answer", { id: field(1, SIZE), result: field(2, RESULT) })],
  part: [4, record("Part", { id: field(1, SIZE), offset: field(2, SIZE), bytes: field(3, BYTES) })],
});
export type ServerMessage = NonNullable<Value<typeof SERVER_MESSAGE>>;

/** The message in a frame's body; `undefined` for one of a later version. */
export function decodeMessage<T>(side: Codec<T>, body: Uint8Array): T {
  if (body.length === 0) throw new MalformedError("an empty message");
  return side.read(new Reader(body));
}
