// The package in node, which has a WebSocket of its own as of version 22; before, `ws` is one.

import { SextantError } from "./errors.js";
import { MAX_FRAME } from "./requests.js";
import { setSocketMaker } from "./socket.js";

export * from "./index.js";

if (globalThis.WebSocket === undefined) {
  setSocketMaker(async (url) => {
    const ws = await import("ws").catch((cause) => {
      throw new SextantError("node before version 22 has no WebSocket: npm install ws", { cause });
    });
    return new ws.WebSocket(url, { maxPayload: MAX_FRAME, perMessageDeflate: false });
  });
}
