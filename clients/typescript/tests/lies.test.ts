// A server is believed nothing that can be seen without a verifier.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import type { ServerMessage } from "../src/answers.js";
import { toHex } from "../src/bytes.js";
import {
  Client,
  ConnectionLostError,
  InputTooLargeError,
  MalformedError,
  NotOfferedError,
  ProofRecord,
  ServerError,
  WrongProofError,
} from "../src/node.js";
import { MAX_FRAME, PART } from "../src/requests.js";
import { liar, type Peer, proofAnswer, requests, sayProof, welcome } from "./liar.js";
import { committeeChange, connect, recordedProof, seemingProof, until } from "./support.js";

/** Asks such a server for a committee change, which must end like this. */
async function refused(
  test: TestContext,
  answering: (id: number, peer: Peer) => void | Promise<void>,
  error: typeof MalformedError | typeof WrongProofError,
  words: RegExp,
): Promise<void> {
  const { url } = await liar(test, { onRequest: ({ id }, peer) => answering(id, peer) });
  const client = await connect(test, url);
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), (thrown) => {
    assert(thrown instanceof error, String(thrown));
    assert.match(thrown.message, words);
    return true;
  });
  await client.close();
}

test("an honest proof is taken", async (test) => {
  const record = await seemingProof("committee-change");
  const { url } = await liar(test, {
    onRequest: async ({ id }, peer) => peer.say(await proofAnswer(id, record.encode())),
  });
  const client = await connect(test, url);
  const proof = await client.prove(await committeeChange(2), "groth16");
  assert.deepEqual(proof.record, record);
  assert.equal(proof.verified, false);
  assert.equal(proof.statement.head.finalizedSlot, 9430496n);
  await assert.rejects(client.prove(await committeeChange(2), "groth16", { verify: true }), /no verifier/);
  await assert.rejects(client.prove(await committeeChange(2), "groth16", { deadline: Number.NaN }), /deadline: NaN/);
});

test("a proof of something else", async (test) => {
  const record = await seemingProof("committee-change");
  const words = [3, 4, 5, 6, 7, 8, 10, 14, 15, 16, 17];
  const wrong: [ProofRecord, RegExp][] = [
    [await recordedProof("committee-change"), /development circuits/],
    [await seemingProof("one-handover"), /another statement: its .* is due/],
    [await seemingProof("inclusion"), /program inclusion, asked for committee-change/],
    [new ProofRecord({ ...record, kind: "compressed" }), /kind compressed, asked for groth16/],
    [new ProofRecord({ ...record, vkHash: toHex(new Uint8Array(32)) }), /another program/],
    // Each word of what is proven that follows from the question.
    ...words.map((word): [ProofRecord, RegExp] => {
      const publicValues = record.publicValues.slice();
      const at = 32 * word + 31;
      publicValues[at] = (publicValues[at] ?? 0) ^ 1;
      return [new ProofRecord({ ...record, publicValues }), /another statement: its/];
    }),
  ];
  for (const [one, expected] of wrong) {
    await refused(test, async (id, peer) => peer.say(await proofAnswer(id, one.encode())), WrongProofError, expected);
  }
  const short = new ProofRecord({ ...record, publicValues: record.publicValues.slice(0, -32) });
  await refused(test, async (id, peer) => peer.say(await proofAnswer(id, short.encode())), MalformedError, /public values/);
});

test("a proof that arrives damaged", async (test) => {
  const data = (await seemingProof("committee-change")).encode();
  const zeros = toHex(new Uint8Array(32));
  const part = (id: number, offset: number, bytes = data): ServerMessage => ({ type: "part", id, offset, bytes });
  const padded = new Uint8Array(PART);
  padded.set(new TextEncoder().encode("no record"));
  const damages: [(id: number, peer: Peer) => void | Promise<void>, RegExp][] = [
    [async (id, peer) => peer.say(await proofAnswer(id, data, { sha256: zeros })), /its hash is another one/],
    [async (id, peer) => peer.say(await proofAnswer(id, data, { more: 2 ** 40 })), /a proof of 1099511/],
    [async (id, peer) => peer.say(await proofAnswer(id, data, { offset: 5 })), /without its beginning/],
    [
      async (id, peer) => {
        peer.say(await proofAnswer(id, data.subarray(0, 9), { more: 9 }));
        peer.say(part(id, 8, data.slice(0, 9)));
      },
      /at another place/,
    ],
    [
      async (id, peer) => {
        peer.say(await proofAnswer(id, data.subarray(0, 9), { more: 9 }));
        peer.say(part(id, 9));
      },
      /at another place/,
    ],
    [(id, peer) => peer.say(part(id, 0)), /before its answer/],
    [(id, peer) => peer.say({ type: "answer", id, result: { response: { answer: "pong" } } }), /answers pong, proof is due/],
    [(id, peer) => peer.say(answerOfALaterVersion(id)), /something of a later version, proof is due/],
    [(_, peer) => peer.say(Uint8Array.of(3, 0, 1, 0)), /bytes wanted/],
    [(_, peer) => peer.say(new Uint8Array()), /empty message/],
    [(_, peer) => peer.say("text"), /sends text/],
    [async (id, peer) => peer.say(await proofAnswer(id, padded)), /proof record/],
  ];
  for (const [answering, words] of damages) await refused(test, answering, MalformedError, words);
});

function answerOfALaterVersion(id: number): Uint8Array {
  return Uint8Array.from([3, 0, 1, 0, 8, 0, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 0, 0xee, 0]);
}

test("a message that is too large ends the connection", async (test) => {
  const { url } = await liar(test, { onRequest: (_, peer) => peer.say(new Uint8Array(MAX_FRAME + 1)) });
  const client = await connect(test, url, { reconnects: 0 });
  // Where the socket has a limit of its own, it breaks off by itself.
  await assert.rejects(client.ping(), (error) => error instanceof ConnectionLostError || error instanceof MalformedError);
});

test("who does not want the rest of a proof says so", async (test) => {
  const { url, heard } = await liar(test, {
    onRequest: async ({ id }, peer) => peer.say(await proofAnswer(id, new Uint8Array(9), { more: 1 << 30 })),
  });
  const client = await connect(test, url);
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), MalformedError);
  await until(() => heard.length >= 2);
  assert.deepEqual(
    heard.map((message) => message.type),
    ["request", "cancel"],
  );
});

test("what is larger than the server takes is not sent, and it is asked once what it takes", async (test) => {
  const record = (await seemingProof("committee-change")).encode();
  const input = await committeeChange(2);
  const size = input.bytes.length;
  const taking = async (limit: number) => {
    const server = await liar(test, {
      inputLimits: [BigInt(limit)],
      onRequest: async ({ id }, peer) => peer.say(await proofAnswer(id, record)),
    });
    return { ...server, client: await connect(test, server.url) };
  };
  const enough = await taking(size);
  await enough.client.prove(input, "groth16");
  await enough.client.prove(input, "groth16");
  assert.deepEqual([requests(enough.heard).length, enough.infos.length], [2, 1]);
  const small = await taking(size - 1);
  for (const asked of [() => small.client.prove(input, "groth16"), () => small.client.submit(input, "groth16")]) {
    await assert.rejects(asked, (error) => {
      assert(error instanceof InputTooLargeError, String(error));
      assert.equal(error.message, `the input of this statement has ${size} bytes, this server takes ${size - 1} at most`);
      return true;
    });
  }
  assert.deepEqual([small.heard.length, small.infos.length], [0, 1]);
});

test("answers to nobody are ignored, and messages and steps of a later version", async (test) => {
  const record = await seemingProof("committee-change");
  const { url } = await liar(test, {
    onRequest: async ({ id }, peer) => {
      peer.say(Uint8Array.of(0xff, 0, 1));
      peer.say(Uint8Array.from([2, 0, 1, 0, 8, 0, 0, 0, id, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 0xee, 0]));
      peer.say(await proofAnswer(id + 7, new Uint8Array(3)));
      peer.say(await proofAnswer(id, record.encode()));
    },
  });
  const client = await connect(test, url);
  const steps: unknown[] = [];
  const proof = await client.prove(await committeeChange(2), "groth16", { onProgress: (step) => steps.push(step) });
  assert.deepEqual(proof.record, record);
  assert.deepEqual(steps, []);
});

test("a greeting that is none", async (test) => {
  const greetings: [ServerMessage | string | Uint8Array, RegExp][] = [
    [welcome(4), /version 4, which was not offered/],
    [{ type: "answer", id: 1, result: { response: { answer: "pong" } } }, /something else than a welcome/],
    ["HTTP/1.1 400 Bad Request", /is this a Sextant server/],
    [new Uint8Array(5_000), /a message of 5000 bytes, over 4096/],
  ];
  for (const [greeting, words] of greetings) {
    const { url } = await liar(test, { greeting: [greeting] });
    await assert.rejects(Client.connect(url), (error) => {
      assert(error instanceof MalformedError, String(error));
      assert.match(error.message, words);
      return true;
    });
  }
  const silent = await liar(test, { greeting: [] });
  await assert.rejects(Client.connect(silent.url, { timeout: 300 }), /no greeting within 300 ms/);
  const full: ServerMessage = { type: "refused", code: 6, message: "full", retryAfterMs: 1_500n };
  const busy = await liar(test, { greeting: [full] });
  await assert.rejects(Client.connect(busy.url), (error) => {
    assert(error instanceof ServerError, String(error));
    assert.deepEqual([error.code, error.codeName, error.retryAfter, error.message], [6, "Busy", 1_500, "Busy: full"]);
    return true;
  });
});

test("a token goes where nobody listens on the way, or over TLS", async (test) => {
  const token = "correct-horse";
  for (const server of ["http://192.0.2.1:7102", "ws://prover.example", "http://localhost.example", "http://127.0.0.1.example"]) {
    await assert.rejects(Client.connect(server, { token, timeout: 1 }), /without TLS/, server);
  }
  await assert.rejects(Client.connect("ftp://prover.example"), /neither ws, wss, http nor https/);
  const { url, tokens } = await liar(test, {});
  await connect(test, url, { token });
  assert.deepEqual(tokens, [token]);
});

test("a compressed proof becomes the SNARK of the same statement, where the server can", async (test) => {
  const snark = await seemingProof("committee-change");
  const statement = await committeeChange(2);
  const compressed = new ProofRecord({ ...snark, kind: "compressed", proof: new Uint8Array(PART + 9) });
  const answers = [snark, await seemingProof("one-handover")];
  const { url, heard } = await liar(test, {
    greeting: [welcome(3, ["wrap"])],
    onRequest: async ({ id, request }, peer) => {
      if (request.ask === "wrap") return peer.say(await proofAnswer(id, answers.shift()?.encode() ?? new Uint8Array()));
      await sayProof(peer, id, compressed.encode());
    },
  });
  const client = await connect(test, url);
  const proof = await client.prove(statement, "compressed");
  const wrapped = await client.wrap(proof);
  assert.deepEqual(wrapped.record, snark);
  const [, asked] = requests(heard);
  assert(asked?.ask === "wrap");
  assert.deepEqual([asked.kind, asked.record.length, asked.more], ["groth16", PART, compressed.encode().length - PART]);
  await assert.rejects(client.wrap(proof), /a proof of another statement/);
  const plain = await connect(test, (await liar(test, {})).url);
  await assert.rejects(plain.wrap(proof), (error) => {
    assert(error instanceof NotOfferedError, String(error));
    assert.deepEqual(
      [error.capability, error.message],
      ["wrap", "this server does not know how to make SNARKs of proofs that are there already"],
    );
    return true;
  });
});
