// The client: asks a Sextant server for proofs, and looks at what it gets.

import type { ServerInfo, Submitted } from "./answers.js";
import { Asking, EMPTY, milliseconds } from "./asking.js";
import { type Bundling, bundleOf, chainOf } from "./bundling.js";
import type { Hex } from "./bytes.js";
import type { Asked } from "./download.js";
import { SextantError } from "./errors.js";
import { expectedOf, expectedSame, expectedStatement } from "./expected.js";
import { Link } from "./link.js";
import type { ConnectOptions, Proof, ProveOptions, RequestOptions, SubmitOptions } from "./options.js";
import { VK_HASHES } from "./pinned.js";
import type { ProofRecord } from "./proof.js";
import type { Bundle, CommitteeChain, InputStatement, Statement } from "./public-values.js";
import { PART, type ProofKind, type StatementInput } from "./requests.js";
import { isThisMachine, makeSocket, socketUrl } from "./socket.js";

/**
 * A connection to a Sextant server, made by {@link Client.connect}, which connects again where it breaks.
 *
 * A server is believed nothing that can be seen here: a proof by another program than the pinned one, of another kind, or about
 * another committee, header, account or slot than the input's is a `WrongProofError`, and one that is not true an
 * `InvalidProofError`, if there is a verifier.
 */
export class Client {
  readonly #asking: Asking;

  private constructor(asking: Asking) {
    this.#asking = asking;
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
    return new Client(new Asking(await Link.open(dial, reconnects), options));
  }

  /** Ends the connection. Open requests are given up; what was submitted goes on. */
  close(): Promise<void> {
    return this.#asking.link.close();
  }

  /** Returns when the server has answered. */
  async ping(options: RequestOptions = {}): Promise<void> {
    await this.#asking.ask({ ask: "ping" }, "pong", options);
  }

  /** What the server says about itself. */
  async info(options: RequestOptions = {}): Promise<ServerInfo> {
    const { answer: _, ...info } = await this.#asking.ask({ ask: "info" }, "info", options);
    return info;
  }

  /**
   * Asks for the proof of a statement and waits for it. The kind is `compressed` if it is to be verified here, or `stark`.
   * An input that is larger than the server takes is not sent: an `InputTooLargeError` says both sizes.
   */
  async prove(input: StatementInput, kind?: ProofKind, options: ProveOptions = {}): Promise<Proof<InputStatement>> {
    const form = kind ?? (this.#asking.verifies(options) ? "compressed" : "stark");
    const due = await this.#asking.due(() => expectedOf(input, form), form, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "prove", ...proveRequest(input, form, deadlineMs) });
    return this.#asking.download({ request, rest: input.bytes.subarray(PART), input: input.bytes.length }, due, options);
  }

  /** Asks like {@link prove}, and returns the job's name at once: the job goes on whoever is connected. */
  async submit(input: StatementInput, kind: ProofKind, options: SubmitOptions = {}): Promise<Submitted> {
    const request = proveRequest(input, kind, milliseconds(options.deadline));
    const { answer: _, ...submitted } = await this.#asking.ask(
      { ask: "submit", ...request },
      "submitted",
      options,
      input.bytes.subarray(PART),
    );
    return submitted;
  }

  /** Waits for a job that was submitted, by whomever; it must be the proof of `input`. */
  async fetch(job: Hex, input: StatementInput, kind: ProofKind, options: ProveOptions = {}): Promise<Proof<InputStatement>> {
    const due = await this.#asking.due(() => expectedOf(input, kind), kind, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "fetch", job, offset: 0, deadlineMs });
    return this.#asking.download({ request, rest: EMPTY }, due, options);
  }

  /** Takes back a job that this client has submitted. */
  async withdraw(job: Hex, options: RequestOptions = {}): Promise<void> {
    await this.#asking.ask({ ask: "withdraw", job }, "withdrawn", options);
  }

  /** Asks for the SNARK of a compressed proof. Rejects with `NotOfferedError` where the server cannot. */
  async wrap<S extends Statement>(proof: Proof<S>, kind: ProofKind = "groth16", options: ProveOptions = {}): Promise<Proof<S>> {
    const due = await this.#asking.due(() => expectedSame(proof, kind), kind, options);
    const record = proof.record.encode();
    const rest = record.subarray(PART);
    const more = rest.length;
    const request: Asked["request"] = (deadlineMs) => ({ ask: "wrap", record: record.subarray(0, PART), kind, deadlineMs, more });
    return this.#asking.download({ request, rest, capability: "wrap" }, due, options);
  }

  /**
   * Asks for one proof that 1 to 64 compressed proofs of one chain hold, and waits for it, as {@link prove} does.
   *
   * What comes back names just their statements, in their order. Before anything is sent, proofs that do not go together are a
   * `BundlingError`, and a server that cannot bundle is a `NotOfferedError`. One that does not hold is the server's to find: a
   * `ServerError` with code `InvalidProof`.
   */
  async bundle(proofs: ProofRecord[], kind: ProofKind = "groth16", options: ProveOptions = {}): Promise<Proof<Bundle>> {
    return this.#bundle(await bundleOf(proofs), kind, options);
  }

  /** Asks like {@link bundle}, and returns the job's name at once. */
  async submitBundle(proofs: ProofRecord[], kind: ProofKind = "groth16", options: SubmitOptions = {}): Promise<Submitted> {
    return this.#submitBundle(await bundleOf(proofs), kind, options);
  }

  /** Waits for a job of {@link submitBundle}, by whomever; it must be the bundle of `proofs`. */
  async fetchBundle(
    job: Hex,
    proofs: ProofRecord[],
    kind: ProofKind = "groth16",
    options: ProveOptions = {},
  ): Promise<Proof<Bundle>> {
    return this.#fetchBundle(job, await bundleOf(proofs), kind, options);
  }

  /**
   * Asks for one proof that leads from an anchor to the newest committee, and waits for it, as {@link prove} does.
   *
   * `changes` are 1 to 64 compressed proofs of committee changes that follow each other. The first follows `predecessor`, the
   * compressed proof of the chain so far; without one a chain begins, at the committee at which that change does. What comes back
   * begins at the same anchor, and ends where the last change does. Errors are those of {@link bundle}.
   */
  async chain(
    changes: ProofRecord[],
    predecessor?: ProofRecord,
    kind: ProofKind = "compressed",
    options: ProveOptions = {},
  ): Promise<Proof<CommitteeChain>> {
    return this.#bundle(chainOf(changes, predecessor), kind, options);
  }

  /** Asks like {@link chain}, and returns the job's name at once. */
  async submitChain(
    changes: ProofRecord[],
    predecessor?: ProofRecord,
    kind: ProofKind = "compressed",
    options: SubmitOptions = {},
  ): Promise<Submitted> {
    return this.#submitBundle(chainOf(changes, predecessor), kind, options);
  }

  /** Waits for a job of {@link submitChain}, by whomever; it must be the chain of these proofs. */
  async fetchChain(
    job: Hex,
    changes: ProofRecord[],
    predecessor?: ProofRecord,
    kind: ProofKind = "compressed",
    options: ProveOptions = {},
  ): Promise<Proof<CommitteeChain>> {
    return this.#fetchBundle(job, chainOf(changes, predecessor), kind, options);
  }

  /** Asks the server whether a proof is true: worth as much as you trust the server. Rejects with code `InvalidProof` if not. */
  async verify(proof: ProofRecord, options: RequestOptions = {}): Promise<void> {
    const record = proof.encode();
    const rest = record.subarray(PART);
    await this.#asking.ask({ ask: "verify", record: record.subarray(0, PART), more: rest.length }, "verified", options, rest);
  }

  async #bundle<S extends Joined>(bundling: Bundling<S>, kind: ProofKind, options: ProveOptions): Promise<Proof<S>> {
    const due = await this.#asking.due(() => expectedStatement(bundling.statement, kind), kind, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "bundle", ...bundleRequest(bundling, kind, deadlineMs) });
    const { program: capability } = bundling.statement;
    return this.#asking.download({ request, rest: bundling.records.subarray(PART), capability }, due, options);
  }

  async #submitBundle(bundling: Bundling<Joined>, kind: ProofKind, options: SubmitOptions): Promise<Submitted> {
    const request = bundleRequest(bundling, kind, milliseconds(options.deadline));
    const { answer: _, ...submitted } = await this.#asking.ask(
      { ask: "submitBundle", ...request },
      "submitted",
      options,
      bundling.records.subarray(PART),
      bundling.statement.program,
    );
    return submitted;
  }

  async #fetchBundle<S extends Joined>(
    job: Hex,
    bundling: Bundling<S>,
    kind: ProofKind,
    options: ProveOptions,
  ): Promise<Proof<S>> {
    const due = await this.#asking.due(() => expectedStatement(bundling.statement, kind), kind, options);
    const request: Asked["request"] = (deadlineMs) => ({ ask: "fetch", job, offset: 0, deadlineMs });
    return this.#asking.download({ request, rest: EMPTY }, due, options);
  }
}

type Joined = Bundle | CommitteeChain;

function bundleRequest({ records, statement: { program } }: Bundling<Joined>, kind: ProofKind, deadlineMs: number) {
  const first = records.subarray(0, PART);
  return { records: first, kind, deadlineMs, vkHash: VK_HASHES[program], more: records.length - first.length, program };
}

function proveRequest(input: StatementInput, kind: ProofKind, deadlineMs: number) {
  const first = { program: input.program, bytes: input.bytes.subarray(0, PART) };
  const vkHash = VK_HASHES[input.program];
  return { input: first, kind, deadlineMs, vkHash, more: input.bytes.length - first.bytes.length };
}
