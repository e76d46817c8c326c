// What may go wrong, one class a kind.

/** Why a server refuses, by the number on the wire (docs/protocol.md, "Errors"). */
export const ErrorCode = {
  Version: 0,
  Malformed: 1,
  TooLarge: 2,
  Unsupported: 3,
  InvalidStatement: 4,
  InvalidProof: 5,
  Busy: 6,
  DeadlineExceeded: 7,
  Cancelled: 8,
  ProverFailed: 9,
  ShuttingDown: 10,
  DuplicateRequest: 11,
  Unauthorized: 12,
  Internal: 13,
  UnknownJob: 14,
} as const;

/** Everything that this package throws by itself, but for the reason of an `AbortSignal`. */
export class SextantError extends Error {
  override name = "SextantError";
}

/** Bytes that are not what they should be: a message, a proof file, public values. */
export class MalformedError extends SextantError {
  override name = "MalformedError";
}

/** The connection is not there, and connecting again has not helped. */
export class ConnectionLostError extends SextantError {
  override name = "ConnectionLostError";
}

/** The deadline has passed, and the server has not said so. */
export class DeadlineError extends SextantError {
  override name = "DeadlineError";
}

/** A statement's input is larger than the server takes; nothing of it was sent. `got` and `limit` are bytes. */
export class InputTooLargeError extends SextantError {
  override name = "InputTooLargeError";
  readonly got: number;
  readonly limit: number;

  constructor(got: number, limit: number) {
    super(`the input of this statement has ${got} bytes, this server takes ${limit} at most`);
    this.got = got;
    this.limit = limit;
  }
}

/** The server's own answer to a request that it does not fulfil. */
export class ServerError extends SextantError {
  override name = "ServerError";
  /** One of {@link ErrorCode}, or a number that this version does not know. */
  readonly code: number;
  /** The code's name, such as `Busy`; empty if this version does not know it. */
  readonly codeName: string;
  /** Milliseconds after which asking again may help; 0: it changes nothing. */
  readonly retryAfter: number;

  constructor(code: number, message: string, retryAfter: number) {
    const known = Object.entries(ErrorCode).find(([, number]) => number === code);
    super(`${known?.[0] ?? `error ${code}`}: ${message}`);
    this.code = code;
    this.codeName = known?.[0] ?? "";
    this.retryAfter = retryAfter;
  }
}

/**
 * The server does not know how to do what is asked; nothing was sent. `capability` is the name that it would have to list
 * (docs/protocol.md, section 3).
 */
export class NotOfferedError extends SextantError {
  override name = "NotOfferedError";
  readonly capability: string;

  constructor(capability: string, what: string) {
    super(`this server does not know how to ${what}`);
    this.capability = capability;
  }
}

/**
 * Proofs that do not become one; nothing was sent. `index` says which of them is at fault, from 0; `undefined` where it is not one
 * of them alone, or the chain that is extended.
 */
export class BundlingError extends SextantError {
  override name = "BundlingError";
  readonly index: number | undefined;

  constructor(message: string, index?: number) {
    super(index === undefined ? message : `proof ${index}: ${message}`);
    this.index = index;
  }
}

/** The server's proof is about something else than what was asked for, or by another program than the pinned one. */
export class WrongProofError extends SextantError {
  override name = "WrongProofError";
}

/** The verifier refuses the proof. `code` is its own, such as `rejected`; `cause` its error. */
export class InvalidProofError extends SextantError {
  override name = "InvalidProofError";
  readonly code: string;

  constructor(code: string, cause: Error) {
    super(cause.message, { cause });
    this.code = code;
  }
}

/** No statement can be made of what a node has answered, or of what is asked for. */
export class StatementError extends SextantError {
  override name = "StatementError";
}
