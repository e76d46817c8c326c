// What all requests have in common: asking, waiting for a proof, and looking at what comes.

import type { ProofAnswer, Response } from "./answers.js";
import { type Capability, checkOffered } from "./capabilities.js";
import { success } from "./connection.js";
import { type Asked, download } from "./download.js";
import { DeadlineError, SextantError } from "./errors.js";
import { checkExpected, type Expected } from "./expected.js";
import type { Link } from "./link.js";
import type { ConnectOptions, Proof, ProveOptions, RequestOptions } from "./options.js";
import { ProofRecord } from "./proof.js";
import type { Statement } from "./public-values.js";
import type { ProofKind, Request } from "./requests.js";
import { checkSize } from "./sizes.js";
import { checkVerifiable, type Verifier, verifyHere } from "./verification.js";

export const EMPTY: Uint8Array = new Uint8Array();
// The most that a timer can wait.
const LONGEST = 2 ** 31 - 1;

/** What a proof is asked for by. */
type Question = Pick<Asked, "request" | "rest" | "input" | "capability">;

/** A server, and what is believed of what comes from it. The requests themselves are the client's. */
export class Asking {
  readonly link: Link;
  readonly #maxRecord: number;
  readonly #grace: number;
  readonly #verifier: Verifier | undefined;
  readonly #allowDevCircuits: Uint8Array | undefined;

  constructor(link: Link, options: ConnectOptions) {
    this.link = link;
    this.#maxRecord = options.maxRecord ?? 64 << 20;
    this.#grace = options.deadlineGrace ?? 30_000;
    this.#verifier = options.verifier;
    this.#allowDevCircuits = options.allowDevCircuits;
  }

  /** Whether a proof is to be verified here. */
  verifies({ verify }: ProveOptions): boolean {
    if (verify && this.#verifier === undefined) throw new SextantError("verify: the client was given no verifier");
    return verify ?? this.#verifier !== undefined;
  }

  /** What must come back, before anything is asked for. */
  async due<S extends Statement>(
    expected: () => Expected<S> | Promise<Expected<S>>,
    kind: ProofKind,
    options: ProveOptions,
  ): Promise<Expected<S>> {
    if (this.verifies(options)) checkVerifiable(kind);
    return expected();
  }

  /** Asks what is answered at once. `rest` are the bytes of it that go in parts. */
  async ask<A extends Response["answer"]>(
    request: Request,
    due: A,
    { signal }: RequestOptions,
    rest = EMPTY,
    capability?: Capability,
  ): Promise<Extract<Response, { answer: A }>> {
    const connection = await this.link.connected(signal);
    if (capability) checkOffered(connection, capability);
    if (request.ask === "submit") await checkSize(connection, request.input.bytes.length + request.more, signal);
    for await (const message of connection.request(request, rest, signal)) {
      if (message.type === "answer") return success(message, due);
    }
    throw new SextantError("requests end with an answer or an error");
  }

  /** Asks for a proof and waits for it; it must be what is due. */
  async download<S extends Statement>(what: Question, due: Expected<S>, options: ProveOptions): Promise<Proof<S>> {
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
      answer = await download(this.link, { ...what, left, onProgress, signal, maxRecord: this.#maxRecord });
    } finally {
      clearTimeout(timer);
    }
    const record = ProofRecord.decode(answer.record);
    const statement = checkExpected(due, record, this.#allowDevCircuits !== undefined);
    const verified = this.verifies(options);
    if (this.#verifier && verified) await verifyHere(this.#verifier, record, due, this.#allowDevCircuits);
    return { record, statement, cost: answer.cost, job: answer.job, verified };
  }
}

/** A deadline as it is on the wire. */
export function milliseconds(deadline = 0): number {
  if (!(deadline >= 0 && deadline <= Number.MAX_SAFE_INTEGER)) throw new SextantError(`deadline: ${deadline} milliseconds`);
  return Math.ceil(deadline);
}
