// Connections break; what is asked for goes on.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { concat, sha256 as hash, toHex } from "../src/bytes.js";
import { decodeFlat } from "../src/flat.js";
import { INCLUSION_INPUT } from "../src/inputs.js";
import { pause } from "../src/link.js";
import {
  ConnectionLostError,
  DeadlineError,
  ErrorCode,
  InputTooLargeError,
  ServerError,
  type StatementInput,
} from "../src/node.js";
import { PART } from "../src/requests.js";
import { type Asked, type Heard, liar, type Peer, proofAnswer, requests } from "./liar.js";
import { committeeChange, connect, inclusion, seemingProof, until } from "./support.js";

const JOB = toHex(new Uint8Array(32).fill(7));

/** A server that breaks its first connection off in the middle of the proof; afterwards it does this. */
async function breaking(test: TestContext, afterwards: (asked: Asked, record: Uint8Array, peer: Peer) => Promise<void>) {
  const record = (await seemingProof("committee-change")).encode();
  const server = await liar(test, {
    onRequest: async (asked, peer) => {
      if (peer.number > 0) return afterwards(asked, record, peer);
      const sha256 = toHex(await hash(record));
      peer.say(await proofAnswer(asked.id, record.subarray(0, 9), { sha256, more: record.length - 9 }));
      peer.say({ type: "part", id: asked.id, offset: 9, bytes: record.subarray(9, 100) });
      setTimeout(() => peer.breakOff(), 50);
    },
  });
  return { ...server, client: await connect(test, server.url) };
}

function asked(heard: Heard[]): string[] {
  return requests(heard).map((request) => request.ask);
}

test("of a proof that was on its way, the rest is fetched", async (test) => {
  const { client, heard } = await breaking(test, async ({ id }, record, peer) => {
    const sha256 = toHex(await hash(record));
    peer.say(await proofAnswer(id, record.subarray(100, 200), { sha256, offset: 100, more: record.length - 200 }));
    peer.say({ type: "part", id, offset: 200, bytes: record.subarray(200) });
  });
  const proof = await client.prove(await committeeChange(2), "groth16", { deadline: 60_000 });
  assert.deepEqual(proof.record, await seemingProof("committee-change"));
  const again = requests(heard)[1];
  assert(again?.ask === "fetch");
  assert.deepEqual([again.job, again.offset], [JOB, 100]);
  assert(again.deadlineMs > 50_000 && again.deadlineMs < 60_000);
  assert.equal(heard.length, 2);
});

test("where the job is forgotten, or the rest is another proof's, it is asked for again", async (test) => {
  const honest = async (id: number, record: Uint8Array, peer: Peer) => peer.say(await proofAnswer(id, record));
  const forgetful = await breaking(test, async ({ id, request }, record, peer) => {
    if (request.ask === "prove") return honest(id, record, peer);
    const error = { code: ErrorCode.UnknownJob, message: "never heard", retryAfterMs: 0n };
    peer.say({ type: "answer", id, result: { error } });
  });
  const confused = await breaking(test, async ({ id, request }, record, peer) => {
    if (request.ask === "prove") return honest(id, record, peer);
    peer.say(await proofAnswer(id, new Uint8Array(3), { offset: 100, more: 1_000 }));
  });
  for (const { client, heard } of [forgetful, confused]) {
    const proof = await client.prove(await committeeChange(2), "groth16");
    assert.deepEqual(proof.record, await seemingProof("committee-change"));
    assert.deepEqual(asked(heard), ["prove", "fetch", "prove"]);
  }
});

test("what has no answer yet is asked for again, with all of its input", async (test) => {
  const flat = decodeFlat(INCLUSION_INPUT, (await inclusion()).bytes);
  for (let at = 0; at < 10; at += 1) flat.nodes.push(new Uint8Array(80_000).fill(at));
  const large: StatementInput = { program: "inclusion", bytes: INCLUSION_INPUT.write(flat) };
  const record = (await seemingProof("inclusion")).encode();
  const came: Uint8Array[] = [];
  const server = await liar(test, {
    onRequest: async ({ id, request }, peer) => {
      if (request.ask !== "prove") return;
      came.push(request.input.bytes);
      const first = server.heard.length;
      const parts = () => server.heard.slice(first).filter((one) => one.type === "part" && one.id === id);
      if (peer.number === 0) {
        await until(() => parts().length > 0);
        return peer.breakOff();
      }
      const due = Math.ceil(request.more / PART);
      await until(() => parts().length === due);
      for (const part of parts()) {
        assert(part.type === "part");
        assert.equal(
          part.offset,
          came.slice(1).reduce((length, piece) => length + piece.length, 0),
        );
        came.push(part.bytes);
      }
      peer.say(await proofAnswer(id, record));
    },
  });
  const client = await connect(test, server.url);
  const proof = await client.prove(large, "groth16");
  assert.equal(proof.statement.program, "inclusion");
  assert.equal(came.length, 2 + Math.ceil(large.bytes.length / PART) - 1);
  assert.deepEqual(concat(...came.slice(1)), large.bytes);
});

test("a server that goes down says so, and is asked again when it is back", async (test) => {
  const record = (await seemingProof("committee-change")).encode();
  const server = await liar(test, {
    onRequest: async ({ id }, peer) => {
      const down = { code: ErrorCode.ShuttingDown, message: "back soon", retryAfterMs: 0n };
      if (peer.number === 0) peer.say({ type: "refused", ...down });
      else peer.say(await proofAnswer(id, record));
    },
  });
  const client = await connect(test, server.url);
  await client.prove(await committeeChange(2), "groth16");
  assert.deepEqual(asked(server.heard), ["prove", "prove"]);
});

test("after so many attempts it is given up, and what the server answers is no reason for another", async (test) => {
  const gone = await liar(test, { onRequest: (_, peer) => peer.breakOff() });
  const client = await connect(test, gone.url, { reconnects: 1 });
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), ConnectionLostError);
  assert.deepEqual(asked(gone.heard), ["prove", "prove"]);
  const busy = await liar(test, {
    onRequest: ({ id }, peer) =>
      peer.say({ type: "answer", id, result: { error: { code: ErrorCode.Busy, message: "full", retryAfterMs: 2_000n } } }),
  });
  const other = await connect(test, busy.url);
  await assert.rejects(other.prove(await committeeChange(2), "groth16"), (error) => {
    assert(error instanceof ServerError, String(error));
    assert.deepEqual([error.code, error.retryAfter], [ErrorCode.Busy, 2_000]);
    return true;
  });
  assert.equal(busy.heard.length, 1);
});

test("another server than before takes less", async (test) => {
  const input = await committeeChange(2);
  const limit = input.bytes.length - 1;
  const server = await liar(test, { inputLimits: [0n, BigInt(limit)], onRequest: (_, peer) => peer.breakOff() });
  const client = await connect(test, server.url);
  await assert.rejects(client.prove(input, "groth16"), (error) => {
    assert(error instanceof InputTooLargeError, String(error));
    assert.deepEqual([error.got, error.limit], [input.bytes.length, limit]);
    return true;
  });
  assert.deepEqual(asked(server.heard), ["prove"]);
});

test("the next request finds another connection, but for a client that is closed", async (test) => {
  const server = await liar(test, {
    onRequest: ({ id }, peer) => {
      if (peer.number === 0) peer.breakOff();
      else peer.say({ type: "answer", id, result: { response: { answer: "pong" } } });
    },
  });
  const client = await connect(test, server.url);
  await assert.rejects(client.ping(), ConnectionLostError);
  await Promise.all([client.ping(), client.ping()]);
  await client.close();
  await assert.rejects(client.ping(), /this client is closed/);
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), /this client is closed/);
});

test("a connection that is dead without having said so is found out", async (test) => {
  const server = await liar(test, {});
  const client = await connect(test, server.url, { pingInterval: 20, silenceLimit: 120, reconnects: 0 });
  await assert.rejects(client.withdraw(JOB), /nothing was heard for 120 ms/);
  assert(asked(server.heard).filter((ask) => ask === "ping").length >= 2);
});

test("an aborted request is cancelled", async (test) => {
  const server = await liar(test, {});
  const client = await connect(test, server.url);
  const controller = new AbortController();
  const proving = client.prove(await committeeChange(), "stark", { signal: controller.signal });
  await until(() => server.heard.length === 1);
  controller.abort(new Error("enough"));
  await assert.rejects(proving, /enough/);
  await until(() => server.heard.length === 2);
  const [request, cancel] = server.heard;
  assert(request?.type === "request" && cancel?.type === "cancel");
  assert.equal(cancel.id, request.id);
  await assert.rejects(client.ping({ signal: controller.signal }), /enough/);
  assert.equal(server.heard.length, 2);
});

test("a request is aborted while there is no connection", { timeout: 20_000 }, async (test) => {
  const server = await liar(test, { onRequest: (_, peer) => peer.breakOff() });
  const client = await connect(test, server.url, { reconnects: 30 });
  const signal = AbortSignal.timeout(400);
  await assert.rejects(client.prove(await committeeChange(), "stark", { signal }), { name: "TimeoutError" });
  // The tenth attempt waits for minutes.
  await assert.rejects(pause(10, AbortSignal.timeout(50)), { name: "TimeoutError" });
});

test("a server that lets the deadline pass is not waited for", async (test) => {
  const server = await liar(test, {});
  const client = await connect(test, server.url, { deadlineGrace: 50 });
  await assert.rejects(client.prove(await committeeChange(), "stark", { deadline: 100 }), DeadlineError);
  await until(() => server.heard.some((message) => message.type === "cancel"));
});
