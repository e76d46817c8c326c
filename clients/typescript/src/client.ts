// The client: asks a Sextant server for proofs, and looks at what it gets.

import type { Progress, ProofAnswer, ProvingCost, Response, ServerInfo, Submitted } from "./answers.js";
import type { Hex } from "./bytes.js";
import { success } from "./connection.js";
import { type Asked, download } from "./download.js";
import { DeadlineError, SextantError } from "./errors.js";
import { checkExpected, type Expected, expectedOf, expectedSame } from "./expected.js";
import { Link } from "./link.js";
import { VK_HASHES } from "./pinned.js";
import { ProofRecord } from "./proof.js";
import type { Statement } from "./public-values.js";
import { PART, type ProofKind, type Request, type StatementInput } from "./requests.js";
import { checkSize } from "./sizes.js";
import { isThisMachine, type MakeSocket, makeSocket, socketUrl } from "./socket.js";
import { checkVerifiable, type Verifier, verifyHere } from "./verification.js";

const EMPTY: Uint8Array = new Uint8Array();
// The most that a timer can wait.
const LONGEST = 2 ** 31 - 1;

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
export interface Proof {
  record: ProofRecord;
  statement: Statement;
  /** What making it took, as the server says. */
  cost: ProvingCost;
  /** The name of its job. */
  job: Hex;
  /** Whether it was verified here. If not, {@link Client.verify} asks a server that you trust. */
  verified: boolean;
}

/**
 * A connection to a Sextant server, made by {@link Client.connect}, which connects again where it breaks.
 *
 * A server is believed nothing that can be seen here: a proof by another program than the pinned one, of another kind, or about
 * another committee, header, account or slot than the input's is a `WrongProofError`, and one that is not true an
 * `InvalidProofError`, if there is a verifier.
 */
export class Client {
  readonly #link: Link;
  readonly #maxRecord: number;
  readonly #grace: number;
  readonly #verifier: Verifier | undefined;
  readonly #allowDevCircuits: Uint8Array | undefined;

  private constructor(link: Link, options: ConnectOptions) {
    this.#link = link;
    this.#maxRecord = options.maxRecord ?? 64 << 20;
    this.#grace = options.deadlineGrace ?? 30_000;
    this.#verifier = options.verifier;
    this.#allowDevCircuits = options.allowDevCircuits;
  }

  /** Connects and greets. `server` is its address, such as `https://prover.example`, or that of its WebSocket. */
  static async connect(server: string, options: ConnectOptions = {}): Promise<Client> {
    const { token = "", webSocket = makeSocket, timeout = 10_000, reconnects = 5 } = options;
    const { pingInterval = 20_000, silenceLimit = 180_000 } = options;
    const url = socketUrl(server);
    if (token && url.protocol === "ws:" && !options.allowPlainToken && !isThisMachine(url)) {
      throw new SextantError("the token would be sent without TLS, for whoever listens on the way to read");
    }
    const dial = { url: url.href, webSocket, token, timeout, pingInterval, silenceLimit };
    return new Client(await Link.open(dial, reconnects), options);
  }

  /** Ends the connection. Open requests are given up; what was submitted goes on. */
  close(): Promise<void> {
    return this.#link.close();
  }

  /** Returns when the server has answered. */
  async ping(options: RequestOptions = {}): Promise<void> {
    await this.#ask({ ask: "ping" }, "pong", options);
  }

  /** What the server says about itself. */
  async info(options: RequestOptions = {}): Promise<ServerInfo> {
    const { answer: _, ...info } = await this.#ask({ ask: "info" }, "info", options);
    return info;
  }

  /**
   * Asks for the proof of a statement and waits for it. The kind is `compressed` if it is to be verified here, or `stark`.
   * An input that is larger than the server takes is not sent: an `InputTooLargeError` says both sizes.
   */
  async prove(input: StatementInput, kind?: ProofKind, options: ProveOptions = {}): Promise<Proof> {
    const form = kind ?? (this.#verifies(options) ? "compressed" : "stark");
    const due = await this.#due(() => expectedOf(input, form), form, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "prove", ...proveRequest(input, form, deadlineMs) });
    return this.#download({ request, rest: input.bytes.subarray(PART), input: input.bytes.length }, due, options);
  }

  /** Asks like {@link prove}, and returns the job's name at once: the job goes on whoever is connected. */
  async submit(input: StatementInput, kind: ProofKind, options: SubmitOptions = {}): Promise<Submitted> {
    const request = proveRequest(input, kind, milliseconds(options.deadline));
    const { answer: _, ...submitted } = await this.#ask(
      { ask: "submit", ...request },
      "submitted",
      options,
      input.bytes.subarray(PART),
    );
    return submitted;
  }

  /** Waits for a job that was submitted, by whomever; it must be the proof of `input`. */
  async fetch(job: Hex, input: StatementInput, kind: ProofKind, options: ProveOptions = {}): Promise<Proof> {
    const due = await this.#due(() => expectedOf(input, kind), kind, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "fetch", job, offset: 0, deadlineMs });
    return this.#download({ request, rest: EMPTY, input: undefined }, due, options);
  }

  /** Takes back a job that this client has submitted. */
  async withdraw(job: Hex, options: RequestOptions = {}): Promise<void> {
    await this.#ask({ ask: "withdraw", job }, "withdrawn", options);
  }

  /** Asks for the SNARK of a compressed proof. */
  async wrap(proof: Proof, kind: ProofKind = "groth16", options: ProveOptions = {}): Promise<Proof> {
    if (!(await this.#link.connected(options.signal)).capabilities.includes("wrap")) {
      throw new SextantError("this server does not make SNARKs of proofs that are there already");
    }
    const due = await this.#due(async () => expectedSame(proof.record, kind), kind, options);
    const record = proof.record.encode();
    const rest = record.subarray(PART);
    const more = rest.length;
    const request: Asked["request"] = (deadlineMs) => ({ ask: "wrap", record: record.subarray(0, PART), kind, deadlineMs, more });
    return this.#download({ request, rest, input: undefined }, due, options);
  }

  /** Asks the server whether a proof is true: worth as much as you trust the server. Rejects with code `InvalidProof` if not. */
  async verify(proof: ProofRecord, options: RequestOptions = {}): Promise<void> {
    const record = proof.encode();
    const rest = record.subarray(PART);
    await this.#ask({ ask: "verify", record: record.subarray(0, PART), more: rest.length }, "verified", options, rest);
  }

  #verifies({ verify }: ProveOptions): boolean {
    if (verify && this.#verifier === undefined) throw new SextantError("verify: the client was given no verifier");
    return verify ?? this.#verifier !== undefined;
  }

  /** What must come back, before anything is asked for. */
  async #due(expected: () => Promise<Expected>, kind: ProofKind, options: ProveOptions): Promise<Expected> {
    if (this.#verifies(options)) checkVerifiable(kind);
    return expected();
  }

  async #ask<A extends Response["answer"]>(
    request: Request,
    due: A,
    { signal }: RequestOptions,
    rest = EMPTY,
  ): Promise<Extract<Response, { answer: A }>> {
    const connection = await this.#link.connected(signal);
    if (request.ask === "submit") await checkSize(connection, request.input.bytes.length + request.more, signal);
    for await (const message of connection.request(request, rest, signal)) {
      if (message.type === "answer") return success(message, due);
    }
    throw new SextantError("requests end with an answer or an error");
  }

  async #download(what: Pick<Asked, "request" | "rest" | "input">, due: Expected, options: ProveOptions): Promise<Proof> {
    const { onProgress } = options;
    const deadline = milliseconds(options.deadline);
    const begun = Date.now();
    // At least one: 0 would mean "no deadline" on the wire.
    const left = () => (deadline === 0 ? 0 : Math.max(1, deadline - (Date.now() - begun)));
    const late = new AbortController();
    const reason = new DeadlineError(`no proof within ${deadline} ms`);
    const timer = deadline > 0 ? setTimeout(() => late.abort(reason), Math.min(deadline + this.#grace, LONGEST)) : undefined;
    const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal;
    let answer: ProofAnswer;
    try {
      answer = await download(this.#link, { ...what, left, onProgress, signal, maxRecord: this.#maxRecord });
    } finally {
      clearTimeout(timer);
    }
    const record = ProofRecord.decode(answer.record);
    const statement = checkExpected(due, record, this.#allowDevCircuits !== undefined);
    const verified = this.#verifies(options);
    if (this.#verifier && verified) await verifyHere(this.#verifier, record, due, this.#allowDevCircuits);
    return { record, statement, cost: answer.cost, job: answer.job, verified };
  }
}

function proveRequest(input: StatementInput, kind: ProofKind, deadlineMs: number) {
  const first = { program: input.program, bytes: input.bytes.subarray(0, PART) };
  const vkHash = VK_HASHES[input.program];
  return { input: first, kind, deadlineMs, vkHash, more: input.bytes.length - first.bytes.length };
}

function milliseconds(deadline = 0): number {
  if (!(deadline >= 0 && deadline <= Number.MAX_SAFE_INTEGER)) throw new SextantError(`deadline: ${deadline} milliseconds`);
  return Math.ceil(deadline);
}
