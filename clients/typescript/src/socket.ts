// Where WebSockets come from: the platform's own, unless somebody brings others (node.ts does).

import { SextantError } from "./errors.js";

/** What is used of a `WebSocket`. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  // biome-ignore lint/suspicious/noExplicitAny: the events of different platforms have little in common.
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: any) => void): void;
}

/** Begins to connect. */
export type MakeSocket = (url: string) => Socket | Promise<Socket>;

let maker: MakeSocket = (url) => {
  if (globalThis.WebSocket === undefined) throw new SextantError("no WebSocket here: give one as option `webSocket`");
  return new WebSocket(url);
};

/** How sockets are made where the caller does not say. */
export function makeSocket(url: string): Socket | Promise<Socket> {
  return maker(url);
}

/** Makes them so from now on. */
export function setSocketMaker(make: MakeSocket): void {
  maker = make;
}

/** The address of a server's WebSocket. That of the server itself, over http or https, is as good. */
export function socketUrl(server: string): URL {
  const url = new URL(server.replace(/^http/, "ws"));
  if (url.protocol !== "ws:" && url.protocol !== "wss:") throw new SextantError(`${server}: neither ws, wss, http nor https`);
  if (url.pathname === "/") url.pathname = "/v1/rpc";
  return url;
}

/** Whether whoever listens on the way is this machine alone. */
export function isThisMachine({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
