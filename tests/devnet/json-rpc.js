// A JSON-RPC client over HTTP, with the token that the engine API wants (engine API specification, authentication.md).

import crypto from "node:crypto";

// A function `call(method, ...params)`. `secret`: 32 bytes shared with the node's engine API, none for the public API.
export function jsonRpc(url, secret) {
  let id = 0;
  return async function call(method, ...params) {
    // A connection of its own each time: one that was idle may be closed by the node just when it is used again.
    const headers = {"content-type": "application/json", connection: "close"};
    if (secret) headers.authorization = `Bearer ${token(secret)}`;
    const body = JSON.stringify({jsonrpc: "2.0", id: ++id, method, params});
    const answer = await (await fetch(url, {method: "POST", headers, body})).json();
    if (answer.error) throw new Error(`${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  };
}

// A JSON Web Token, HMAC-SHA-256, good for the next 60 seconds.
function token(secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({alg: "HS256", typ: "JWT"})}.${part({iat: Math.floor(Date.now() / 1000)})}`;
  return `${signed}.${crypto.createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

// A number as the API writes it.
export function quantity(number) {
  return `0x${BigInt(number).toString(16)}`;
}
