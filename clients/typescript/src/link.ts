// A server, however often the connection to it breaks.

import { Connection, type Dial } from "./connection.js";
import { ConnectionLostError, ErrorCode, ServerError } from "./errors.js";

// Milliseconds before the first attempt to connect again; each waits twice as long as the one before.
const FIRST_PAUSE = 250;

export class Link {
  readonly #dial: Dial;
  /** Times to connect again, one after the other, before a request is given up. */
  readonly reconnects: number;
  #connection: Promise<Connection>;
  #closed = false;

  private constructor(dial: Dial, reconnects: number, connection: Promise<Connection>) {
    this.#dial = dial;
    this.reconnects = reconnects;
    this.#connection = connection;
  }

  static async open(dial: Dial, reconnects: number): Promise<Link> {
    const connection = Connection.open(dial);
    await connection;
    return new Link(dial, reconnects, connection);
  }

  /** The connection; another one, where that is lost. Who asks at the same time gets the same. */
  async connected(signal?: AbortSignal): Promise<Connection> {
    signal?.throwIfAborted();
    const before = this.#connection;
    const lost = await before.then(
      (connection) => connection.lost,
      () => true,
    );
    if (lost === undefined) return before;
    if (this.#closed) throw new ConnectionLostError("this client is closed");
    if (this.#connection === before) this.#connection = Connection.open(this.#dial);
    return unlessAborted(this.#connection, signal);
  }

  /** Whether connecting again may help. */
  mayGoOn(error: unknown): boolean {
    if (this.#closed) return false;
    // A server that restarts, or has no place for a connection, will have one.
    if (error instanceof ServerError) return error.code === ErrorCode.ShuttingDown || error.code === ErrorCode.Busy;
    return error instanceof ConnectionLostError;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connection = await this.#connection.catch(() => undefined);
    connection?.end(new ConnectionLostError("this client is closed"));
  }
}

/** What is waited for; rejects at once when the signal is aborted. */
async function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  signal?.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason);
  });
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([waited, aborted]);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits before attempt number `attempts` to connect again. */
export async function pause(attempts: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const paused = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FIRST_PAUSE * 2 ** attempts);
  });
  try {
    await unlessAborted(paused, signal);
  } finally {
    clearTimeout(timer);
  }
}
