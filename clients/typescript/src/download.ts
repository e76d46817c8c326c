// A proof on its way, in parts. Where the connection breaks, the next one goes on: with the same job, if the server still has it,
// and of a proof of which the beginning is here, with the rest.

import type { Progress, ProofAnswer } from "./answers.js";
import { joined, sha256, toHex } from "./bytes.js";
import { type Capability, checkOffered } from "./capabilities.js";
import { type Connection, type Incoming, success } from "./connection.js";
import { ErrorCode, MalformedError, ServerError } from "./errors.js";
import { type Link, pause } from "./link.js";
import { MAX_RECORD, type Request } from "./requests.js";
import { checkSize } from "./sizes.js";

/** What is asked for. */
export interface Asked {
  /** What to ask, with so many milliseconds left; 0 is the server's own maximum. */
  request(deadlineMs: number): Request;
  /** Bytes of it that go in parts. */
  rest: Uint8Array;
  /** Bytes of the statement's input, where it has one. */
  input?: number;
  /** What a server must list to be asked this. */
  capability?: Capability;
  /** Milliseconds left now. */
  left(): number;
  onProgress: ((step: Progress) => void) | undefined;
  signal: AbortSignal | undefined;
  maxRecord: number;
}

/** The whole answer, in which `record` is all of the record. */
export async function download(link: Link, asked: Asked): Promise<ProofAnswer> {
  let received: Received | undefined;
  let most = 0;
  // How often it was tried since anything was heard of the proof.
  for (let attempts = 0; ; attempts += 1) {
    const begun = received;
    let connection: Connection | undefined;
    try {
      connection = await link.connected(asked.signal);
      // On each connection: another one may lead to another server.
      if (!begun && asked.capability) checkOffered(connection, asked.capability);
      if (!begun && asked.input !== undefined) await checkSize(connection, asked.input, asked.signal);
      const request = begun ? begun.continued(asked.left()) : asked.request(asked.left());
      const rest = begun ? new Uint8Array() : asked.rest;
      for await (const message of connection.request(request, rest, asked.signal)) {
        if (message.type === "progress") {
          attempts = 0;
          if (message.progress) asked.onProgress?.(message.progress);
          continue;
        }
        received = take(message, received, asked.maxRecord);
        if (received.length > most) [most, attempts] = [received.length, 0];
        if (received.isWhole) break;
      }
      if (received) return await received.finish();
    } catch (error) {
      asked.signal?.throwIfAborted();
      // There is no rest of it any more: from the beginning.
      const forgotten = begun !== undefined && isForgotten(error);
      if (forgotten) received = undefined;
      const lost = connection === undefined || error === connection.lost;
      if (attempts >= link.reconnects || !(forgotten || (lost && link.mayGoOn(error)))) throw error;
    }
    await pause(attempts, asked.signal);
  }
}

class DamagedError extends MalformedError {
  override name = "MalformedError";
}

/** Whether a server does not have the job, or not the proof, of which it has sent the beginning. */
function isForgotten(error: unknown): boolean {
  if (error instanceof DamagedError) return true;
  return error instanceof ServerError && (error.code === ErrorCode.UnknownJob || error.code === ErrorCode.Unsupported);
}

function take(message: Incoming, before: Received | undefined, maxRecord: number): Received {
  if (message.type === "answer") return Received.begin(success(message, "proof"), before, maxRecord);
  if (message.type !== "part" || before === undefined) throw new MalformedError("a part of a proof before its answer");
  before.part(message.offset, message.bytes);
  return before;
}

/** What has come of a proof. */
class Received {
  readonly #head: ProofAnswer;
  readonly #pieces: Uint8Array[];
  readonly #total: number;
  #length: number;

  private constructor(head: ProofAnswer, before: Received | undefined) {
    this.#head = head;
    this.#pieces = [...(before ? before.#pieces : []), head.record];
    this.#length = head.offset + head.record.length;
    this.#total = this.#length + head.more;
  }

  static begin(head: ProofAnswer, before: Received | undefined, maxRecord: number): Received {
    const total = head.offset + head.record.length + head.more;
    if (total > Math.min(maxRecord, MAX_RECORD)) throw new MalformedError(`a proof of ${total} bytes`);
    if (head.offset === 0) return new Received(head, undefined);
    if (before === undefined) throw new MalformedError("a proof without its beginning");
    if (before.#length !== head.offset || before.#head.sha256 !== head.sha256) {
      throw new DamagedError("the rest of another proof");
    }
    return new Received(head, before);
  }

  part(offset: number, bytes: Uint8Array): void {
    if (offset !== this.#length || offset + bytes.length > this.#total || bytes.length === 0) {
      throw new MalformedError("a part of a proof at another place than its own");
    }
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** Bytes that have come. */
  get length(): number {
    return this.#length;
  }

  get isWhole(): boolean {
    return this.#length === this.#total;
  }

  /** What another connection is asked. */
  continued(deadlineMs: number): Request {
    return { ask: "fetch", job: this.#head.job, offset: this.#length, deadlineMs };
  }

  async finish(): Promise<ProofAnswer> {
    const record = joined(this.#pieces);
    if (toHex(await sha256(record)) !== this.#head.sha256) {
      throw new DamagedError("the proof has arrived damaged: its hash is another one");
    }
    return { ...this.#head, offset: 0, record, more: 0 };
  }
}
