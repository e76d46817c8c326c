// What may be said of a connection and of a request, and what a proof comes as.

import type { Progress, ProvingCost } from "./answers.js";
import type { Hex } from "./bytes.js";
import type { ProofRecord } from "./proof.js";
import type { Statement } from "./public-values.js";
import type { MakeSocket } from "./socket.js";
import type { Verifier } from "./verification.js";

/** How to connect, and what to believe. Times are in milliseconds. */
export interface ConnectOptions {
  /** Says who asks. A secret: without TLS it is sent to this machine only, unless `allowPlainToken`. */
  token?: string;
  allowPlainToken?: boolean;
  /** Until the server has greeted: 10 s by default. */
  timeout?: number;
  /** Larger proofs are refused, bytes: 64 MiB by default. */
  maxRecord?: number;
  /** Times to connect again, one after the other, where the connection breaks during a proof: 5 by default. */
  reconnects?: number;
  /** While requests are open, ping the server this often: 20 s by default. */
  pingInterval?: number;
  /** While requests are open, give the connection up after this long without a message: 3 minutes by default. */
  silenceLimit?: number;
  /** How long past a request's deadline its answer may take to arrive: 30 s by default. A server need not be believed to keep time. */
  deadlineGrace?: number;
  /** Makes the WebSocket, in place of the platform's. */
  webSocket?: MakeSocket;
  /** Verifies proofs here: the package `@sextant/verifier`. */
  verifier?: Verifier;
  /** Verifying key of development circuits whose SNARKs count too. They prove nothing: for tests. */
  allowDevCircuits?: Uint8Array;
}

/** Of every request. */
export interface RequestOptions {
  /** Gives the request up, and cancels it. */
  signal?: AbortSignal;
}

/** Of a job. */
export interface SubmitOptions extends RequestOptions {
  /** Milliseconds, queueing included; by default the server's own maximum. */
  deadline?: number;
}

/** Of a request that waits for its proof. */
export interface ProveOptions extends SubmitOptions {
  onProgress?: (step: Progress) => void;
  /** Whether the proof is verified here: by default if the client has a verifier. */
  verify?: boolean;
}

/** A proof that is about what was asked for. */
export interface Proof<S extends Statement = Statement> {
  record: ProofRecord;
  statement: S;
  /** What making it took, as the server says. */
  cost: ProvingCost;
  /** The name of its job. */
  job: Hex;
  /** Whether it was verified here. If not, `Client.verify` asks a server that you trust. */
  verified: boolean;
}
