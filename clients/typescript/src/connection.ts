// One connection: the greeting, and requests that run side by side (section 3 of docs/protocol.md). Each binary message of the
// WebSocket is the body of one frame.

import { decodeMessage, type Failure, type Response, SERVER_MESSAGE, type ServerMessage } from "./answers.js";
import { concat } from "./bytes.js";
import { ConnectionLostError, MalformedError, ServerError, SextantError } from "./errors.js";
import { Queue } from "./queue.js";
import {
  CLIENT_MESSAGE,
  type ClientMessage,
  hello,
  MAX_FRAME,
  MAX_HANDSHAKE_FRAME,
  PART,
  type Request,
  VERSION,
} from "./requests.js";
import type { MakeSocket, Socket } from "./socket.js";

const AGENT = "sextant-typescript/0.1.0";
// Bytes that may wait in the socket before another part is put there, so that smaller requests have their turn.
const WAITING = 1 << 20;

/** What it takes to connect. */
export interface Dial {
  url: string;
  webSocket: MakeSocket;
  token: string;
  /** Milliseconds until the server must have greeted. */
  timeout: number;
  /** While requests are open, milliseconds between pings. */
  pingInterval: number;
  /** While requests are open, milliseconds without a message after which the connection counts as lost. */
  silenceLimit: number;
}

/** What comes for a request. */
export type Incoming = Extract<ServerMessage, { type: "progress" | "answer" | "part" }>;

/** The error of an error on the wire. */
export function failure({ code, message, retryAfterMs }: Failure): ServerError {
  return new ServerError(code, message, Number(retryAfterMs));
}

/** What an answer says, if it is the one that is due. */
export function success<A extends Response["answer"]>(
  { result }: Extract<Incoming, { type: "answer" }>,
  due: A,
): Extract<Response, { answer: A }> {
  if ("error" in result) throw failure(result.error);
  const said = result.response?.answer ?? "something of a later version";
  if (said !== due) throw new MalformedError(`the server answers ${said}, ${due} is due`);
  return result.response as Extract<Response, { answer: A }>;
}

/** A greeted connection. */
export class Connection {
  /** What the server can beyond what every one of its version can. */
  capabilities: string[] = [];
  /** Bytes of an input that the server takes, once it was asked; 0: it does not say. */
  inputLimit: bigint | undefined;
  /** Why there is no connection any more. */
  lost: SextantError | undefined;
  readonly #socket: Socket;
  readonly #dial: Dial;
  readonly #open = new Map<number, Queue<Incoming>>();
  readonly #greeting = new Queue<void>();
  #greeted = false;
  #ids = 0;
  #heard = 0;
  #watch: ReturnType<typeof setInterval> | undefined;

  private constructor(socket: Socket, dial: Dial) {
    this.#socket = socket;
    this.#dial = dial;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      this.#send(hello(AGENT));
      this.#send({ type: "introduction", token: dial.token, hops: 0, onBehalf: "" });
    });
    socket.addEventListener("message", ({ data }) => this.#guarded(() => this.#hear(data)));
    socket.addEventListener("close", () => this.end(this.#gone("the connection was closed")));
    // A browser does not say what it is.
    socket.addEventListener("error", ({ message }) => this.end(this.#gone(message || "no connection")));
  }

  /** Connects and greets. Rejects with {@link ServerError} where the server refuses. */
  static async open(dial: Dial, signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    const connection = new Connection(await dial.webSocket(dial.url), dial);
    const late = () => connection.end(connection.#gone(`no greeting within ${dial.timeout} ms`));
    const timer = setTimeout(late, dial.timeout);
    try {
      await connection.#greeting.next();
      return connection;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request, with the bytes of it that go in parts, and yields what comes for it. Whoever leaves early cancels it. */
  async *request(request: Request, rest: Uint8Array, signal?: AbortSignal): AsyncGenerator<Incoming, never> {
    signal?.throwIfAborted();
    if (this.lost) throw this.lost;
    this.#ids += 1;
    const id = this.#ids;
    const incoming = new Queue<Incoming>();
    const aborted = () => incoming.fail(signal?.reason);
    signal?.addEventListener("abort", aborted);
    this.#open.set(id, incoming);
    this.#watchSilence();
    // Bytes that are still due; nobody knows how many before the answer.
    let due: number | undefined;
    try {
      this.#send({ type: "request", id, request });
      void this.#sendParts(id, firstPart(request), rest);
      for (;;) {
        const message = await incoming.next();
        signal?.throwIfAborted();
        if (message.type === "answer") due = announced(message);
        else if (message.type === "part" && due !== undefined) due -= message.bytes.length;
        yield message;
      }
    } finally {
      signal?.removeEventListener("abort", aborted);
      this.#open.delete(id);
      this.#watchSilence();
      if (due !== 0) this.#send({ type: "cancel", id });
    }
  }

  /** Ends the connection, for this reason, and what is open on it. */
  end(reason: SextantError): void {
    if (this.lost) return;
    this.lost = reason;
    for (const incoming of this.#open.values()) incoming.fail(reason);
    this.#open.clear();
    this.#watchSilence();
    this.#greeting.fail(reason);
    this.#socket.close();
  }

  #gone(why: string): ConnectionLostError {
    return new ConnectionLostError(`${this.#dial.url}: ${why}`);
  }

  #send(message: ClientMessage): void {
    // What a socket that is closing is given gets nowhere, and does no harm.
    if (!this.lost) this.#socket.send(concat(CLIENT_MESSAGE.write(message)));
  }

  async #sendParts(id: number, first: number, rest: Uint8Array): Promise<void> {
    for (let at = 0; at < rest.length; at += PART) {
      while (this.#socket.bufferedAmount > WAITING && !this.lost) await new Promise((resolve) => setTimeout(resolve, 5));
      // Answered already, or given up.
      if (this.lost || !this.#open.has(id)) return;
      this.#send({ type: "part", id, offset: first + at, bytes: rest.subarray(at, at + PART) });
    }
  }

  #guarded(work: () => void): void {
    try {
      if (!this.lost) work();
    } catch (error) {
      this.end(error instanceof SextantError ? error : new MalformedError(`${this.#dial.url}: ${error}`));
    }
  }

  #hear(data: unknown): void {
    this.#heard = Date.now();
    if (!(data instanceof ArrayBuffer)) throw new MalformedError("the server sends text: is this a Sextant server?");
    const limit = this.#greeted ? MAX_FRAME : MAX_HANDSHAKE_FRAME;
    if (data.byteLength > limit) throw new MalformedError(`a message of ${data.byteLength} bytes, over ${limit}`);
    const message = decodeMessage(SERVER_MESSAGE, new Uint8Array(data));
    if (message?.type === "refused") throw failure(message);
    if (!this.#greeted) this.#welcome(message);
    else if (message && "id" in message) this.#open.get(message.id)?.push(message);
  }

  #welcome(message: ServerMessage | undefined): void {
    if (message?.type !== "welcome") throw new MalformedError("the server answers something else than a welcome");
    if (message.version !== VERSION) {
      throw new MalformedError(`the server wants to speak version ${message.version}, which was not offered`);
    }
    this.capabilities = message.capabilities;
    this.#greeted = true;
    this.#greeting.push();
  }

  /** While somebody waits, a connection that is dead without having said so is found out. */
  #watchSilence(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      return;
    }
    if (this.#watch !== undefined) return;
    const { pingInterval, silenceLimit } = this.#dial;
    this.#heard = Date.now();
    this.#watch = setInterval(() => {
      if (Date.now() - this.#heard > silenceLimit) this.end(this.#gone(`nothing was heard for ${silenceLimit} ms`));
      else {
        this.#ids += 1;
        this.#send({ type: "request", id: this.#ids, request: { ask: "ping" } });
      }
    }, pingInterval);
  }
}

/** Bytes that the request itself carries of what its parts continue. */
function firstPart(request: Request): number {
  if ("input" in request) return request.input.bytes.length;
  if ("records" in request) return request.records.length;
  return "record" in request ? request.record.length : 0;
}

/** Bytes that follow an answer. */
function announced({ result }: Extract<Incoming, { type: "answer" }>): number {
  return "response" in result && result.response?.answer === "proof" ? result.response.more : 0;
}
