// What is larger than the server takes is not sent.

import { type Connection, success } from "./connection.js";
import { InputTooLargeError, SextantError } from "./errors.js";

/** Rejects where an input of so many bytes is larger than the server takes. It is asked once on a connection what that is. */
export async function checkSize(connection: Connection, bytes: number, signal?: AbortSignal): Promise<void> {
  connection.inputLimit ??= await inputLimit(connection, signal);
  // 0: the server does not say, and refuses by itself.
  if (connection.inputLimit > 0n && BigInt(bytes) > connection.inputLimit) {
    throw new InputTooLargeError(bytes, Number(connection.inputLimit));
  }
}

async function inputLimit(connection: Connection, signal: AbortSignal | undefined): Promise<bigint> {
  for await (const message of connection.request({ ask: "info" }, new Uint8Array(), signal)) {
    if (message.type === "answer") return success(message, "info").limits.input;
  }
  throw new SextantError("requests end with an answer or an error");
}
