// Messages and proof files are the protocol's vectors, byte for byte.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";

import {
  decodeMessage,
  type Progress,
  type ProofAnswer,
  SERVER_MESSAGE,
  type ServerInfo,
  type ServerMessage,
} from "../src/answers.js";
import { concat, hexBytes, toHex } from "../src/bytes.js";
import { ErrorCode, MalformedError } from "../src/errors.js";
import { ProofRecord } from "../src/proof.js";
import { CLIENT_MESSAGE, type ClientMessage, hello, inputDigest, PROGRAM, type Request } from "../src/requests.js";
import type { Codec } from "../src/wire.js";
import { VECTORS, vector } from "./support.js";

const COUNTING = toHex(Uint8Array.from({ length: 32 }, (_, at) => at));
const JOB = toHex(new Uint8Array(32).fill(0x77));
const INPUT = { program: "committee-change", bytes: hexBytes("0xc0ffee") } as const;
const RECORD = new ProofRecord({
  program: "inclusion",
  kind: "compressed",
  developmentCircuits: false,
  circuitVersion: "v6.1.0",
  vkHash: COUNTING,
  publicValues: hexBytes("0xa0a1a2"),
  proof: hexBytes("0xb0b1b2b3"),
});
const WHOLE = RECORD.encode();

const request = (id: number, asked: Request): ClientMessage => ({ type: "request", id, request: asked });
const prove = { input: INPUT, kind: "stark", deadlineMs: 0, vkHash: undefined, more: 0 } as const;
const wrap = { record: WHOLE, kind: "groth16", deadlineMs: 0, more: 0 } as const;
const bundle = { kind: "groth16", deadlineMs: 0, vkHash: undefined, more: 0, program: "bundle" } as const;
const CLIENT: Record<string, ClientMessage> = {
  "client-hello": hello("sextant/0.1.0"),
  "client-introduction": { type: "introduction", token: "correct-horse-battery", hops: 1, onBehalf: "token alice" },
  "client-ping": request(10, { ask: "ping" }),
  "client-info": request(9, { ask: "info" }),
  "client-prove": request(7, { ask: "prove", ...prove, kind: "compressed", deadlineMs: 60_000, vkHash: COUNTING }),
  "client-verify": request(8, { ask: "verify", record: WHOLE, more: 0 }),
  "client-submit": request(12, { ask: "submit", ...prove }),
  "client-fetch": request(13, { ask: "fetch", job: JOB, offset: 60, deadlineMs: 5_000 }),
  "client-withdraw": request(14, { ask: "withdraw", job: JOB }),
  "client-wrap": request(16, { ask: "wrap", ...wrap, deadlineMs: 1_200_000 }),
  "client-submit-wrap": request(17, { ask: "submitWrap", ...wrap }),
  "client-bundle": request(18, { ask: "bundle", ...bundle, records: concat(hexBytes("0x51000000"), WHOLE) }),
  "client-submit-bundle": request(19, {
    ask: "submitBundle",
    records: hexBytes("0x5100000002"),
    kind: "compressed",
    deadlineMs: 1_200_000,
    vkHash: COUNTING,
    more: 80,
    program: "chain",
  }),
  "client-large": request(15, { ask: "prove", ...prove, more: 2 }),
  "client-part": { type: "part", id: 15, offset: 3, bytes: hexBytes("0xbabe") },
  "client-cancel": { type: "cancel", id: 7 },
};

/** The vectors' answer, with these bytes of the record. */
async function proof(id: number, record: Uint8Array, offset: number, more: number): Promise<ServerMessage> {
  const answer: ProofAnswer = {
    inputDigest: await inputDigest(INPUT),
    cost: { cycles: 1_234_567n, queuedMs: 5n, provingMs: 90_000n, peakMemory: 8n << 30n },
    job: JOB,
    sha256: "0xe9076c744d2ae0e158b3ce4c8163163abf405d88148d51cbeb49aed32c6cb1e1",
    offset,
    record,
    more,
  };
  return { type: "answer", id, result: { response: { answer: "proof", ...answer } } };
}

const INFO: ServerInfo = {
  agent: "proof-server/0.1.0",
  circuitVersion: "v6.1.0",
  programs: [
    {
      program: "inclusion",
      vkHash: COUNTING,
      elfSha256: toHex(Uint8Array.from({ length: 32 }, (_, at) => 32 + at)),
      queued: 3,
      queueCapacity: 16,
      running: 1,
      kinds: ["stark", "compressed"],
      ready: true,
    },
  ],
  kinds: ["stark", "compressed"],
  ready: false,
  reason: "draining",
  networks: ["mainnet"],
  oldestVersion: 3,
  newestVersion: 3,
  limits: { input: 8n << 20n, record: 64n << 20n, requests: 32, deadlineMs: 7_200_000n },
  uptimeS: 86_400n,
};
const STEPS: Progress[] = [
  { step: "checking" },
  { step: "queued", position: 2 },
  { step: "preparing" },
  { step: "executing", cycles: 1_234_567n },
  { step: "proving", done: 3, total: 5 },
  { step: "compressing", done: 4 },
  { step: "verifying" },
  { step: "done" },
  { step: "shrinking" },
  { step: "wrapping" },
  { step: "snark" },
  { step: "bundling", done: 1, total: 2 },
  { step: "gathering", done: 1, total: 3, waitMs: 20_000n },
];

const SERVER: Record<string, ServerMessage[]> = {
  "server-welcome": [{ type: "welcome", version: 3, agent: "proof-server/0.1.0", capabilities: [] }],
  "server-refused": [
    { type: "refused", code: ErrorCode.Version, message: "this server speaks versions 3 to 3", retryAfterMs: 0n },
  ],
  "server-progress": STEPS.map((progress) => ({ type: "progress", id: 7, progress })),
  "server-pong": [{ type: "answer", id: 10, result: { response: { answer: "pong" } } }],
  "server-info": [{ type: "answer", id: 9, result: { response: { answer: "info", ...INFO } } }],
  "server-verified": [{ type: "answer", id: 8, result: { response: { answer: "verified" } } }],
  "server-proof": [await proof(7, WHOLE, 0, 0)],
  "server-rest": [await proof(13, WHOLE.subarray(60), 60, 0)],
  "server-parts": [await proof(7, WHOLE.subarray(0, 60), 0, 21), { type: "part", id: 7, offset: 60, bytes: WHOLE.subarray(60) }],
  "server-submitted": [{ type: "answer", id: 12, result: { response: { answer: "submitted", job: JOB, keptS: 3_600n } } }],
  "server-withdrawn": [{ type: "answer", id: 14, result: { response: { answer: "withdrawn" } } }],
  "server-error": [
    { type: "answer", id: 11, result: { error: { code: ErrorCode.Busy, message: "the queue is full", retryAfterMs: 2_000n } } },
  ],
};

/** The messages in these frames. */
function readAll<T>(side: Codec<T>, data: Uint8Array): T[] {
  return bodies(data).map((body) => decodeMessage(side, body));
}

function bodies(data: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let rest = Buffer.from(data); rest.length > 0; ) {
    const end = 4 + rest.readUInt32BE();
    found.push(new Uint8Array(rest.subarray(4, end)));
    rest = rest.subarray(end);
  }
  return found;
}

for (const [name, message] of Object.entries(CLIENT)) {
  test(`${name} is the vector`, () => {
    assert.equal(toHex(CLIENT_MESSAGE.write(message)), toHex(vector(name).subarray(4)));
    assert.deepEqual(readAll(CLIENT_MESSAGE, vector(name)), [message]);
  });
}

for (const [name, messages] of Object.entries(SERVER)) {
  test(`${name} is the vector`, () => {
    assert.deepEqual(readAll(SERVER_MESSAGE, vector(name)), messages);
    assert.deepEqual(
      messages.map((one) => toHex(SERVER_MESSAGE.write(one))),
      bodies(vector(name)).map(toHex),
    );
  });
}

test("a proof file is the vector", async () => {
  assert.equal(toHex(await RECORD.toFileBytes()), toHex(vector("proof-file")));
  assert.deepEqual(await ProofRecord.fromFileBytes(vector("proof-file")), RECORD);
});

test("a record is all of its bytes, and of kinds that are known", () => {
  const changed = (at: number, value: number) => {
    const bytes = WHOLE.slice();
    bytes[at] = value;
    return bytes;
  };
  assert.deepEqual(ProofRecord.decode(WHOLE), RECORD);
  assert.throws(() => ProofRecord.decode(concat(WHOLE, Uint8Array.of(0))), /1 bytes left over/);
  assert.throws(() => ProofRecord.decode(changed(4, 9)), /a kind that this version does not know/);
  assert.throws(() => ProofRecord.decode(changed(8, 2)), /circuits 2/);
  assert.equal(ProofRecord.decode(changed(0, 9)).program, 9);
});

test("a bundled record is the vector", () => {
  const bytes = vector("bundled-record");
  const record = ProofRecord.decode(bytes);
  assert.equal(record.kind, "bundled");
  assert.deepEqual([toHex(record.publicValues), toHex(record.proof.slice(0, 8))], ["0xa0a1a2", "0x0100000003000000"]);
  assert.equal(toHex(record.encode()), toHex(bytes));
});

test("an input digest is the vector", async () => {
  const whole = concat(PROGRAM.write(INPUT.program), INPUT.bytes, hexBytes(await inputDigest(INPUT)));
  assert.equal(toHex(vector("input-digest")), toHex(whole));
});

test("no vector is left out", () => {
  const names = readdirSync(VECTORS).map((file) => file.replace(/\.hex$/, ""));
  assert.deepEqual(
    names.sort(),
    [...Object.keys(CLIENT), ...Object.keys(SERVER), "proof-file", "input-digest", "bundled-record"].sort(),
  );
});

test("what a later version adds is skipped", () => {
  const field = hexBytes("0x63000100000078");
  const body = concat(vector("server-welcome").subarray(4), field);
  assert.deepEqual(decodeMessage(SERVER_MESSAGE, body), SERVER["server-welcome"]?.[0]);
  assert.equal(decodeMessage(SERVER_MESSAGE, hexBytes("0xff00616e79")), undefined);
  const later: ServerMessage = { type: "answer", id: 1, result: { error: { code: 99, message: "later", retryAfterMs: 0n } } };
  assert.deepEqual(decodeMessage(SERVER_MESSAGE, SERVER_MESSAGE.write(later)), later);
});

test("fields out of order, twice or too long are malformed", () => {
  const id = "0100080000000700000000000000";
  for (const body of [`0x0400${id}${id}`, "0x0400020008000000070000000000000001000000", "0x04000100090000000700000000000000ff"]) {
    assert.throws(() => decodeMessage(CLIENT_MESSAGE, hexBytes(body)), MalformedError, body);
  }
});

test("values that are none are malformed", () => {
  const info = SERVER_MESSAGE.write(SERVER["server-info"]?.[0]);
  // The last of its records is `uptimeS`; `ready` is the one byte before `reason`.
  const ready = Buffer.from(info).lastIndexOf(Buffer.from("05000100000000", "hex")) + 6;
  for (const value of [0, 1]) {
    info[ready] = value;
    const read = decodeMessage(SERVER_MESSAGE, info);
    assert(read?.type === "answer" && "response" in read.result && read.result.response?.answer === "info");
    assert.equal(read.result.response.ready, value === 1);
  }
  info[ready] = 2;
  assert.throws(() => decodeMessage(SERVER_MESSAGE, info), /2 is no truth value/);
  const agent = Buffer.from(info).indexOf("proof-server");
  info[agent] = 0xff;
  assert.throws(() => decodeMessage(SERVER_MESSAGE, info), /text that is no UTF-8/);
  const answer = SERVER_MESSAGE.write(SERVER["server-pong"]?.[0]);
  answer[22] = 2;
  assert.throws(() => decodeMessage(SERVER_MESSAGE, answer), /neither success nor error: 2/);
});

test("a message cut anywhere is malformed, or ends between fields", () => {
  for (const name of [...Object.keys(CLIENT), ...Object.keys(SERVER)]) {
    const side: Codec<unknown> = name in SERVER ? SERVER_MESSAGE : (CLIENT_MESSAGE as Codec<unknown>);
    const whole = bodies(vector(name))[0] as Uint8Array;
    let refused = 0;
    for (let end = 0; end < whole.length; end += 1) {
      try {
        decodeMessage(side, whole.subarray(0, end));
      } catch (error) {
        assert(error instanceof MalformedError, `${name}, ${end}: ${error}`);
        refused += 1;
      }
    }
    // A field has six bytes in front of its content.
    assert(refused >= whole.length - 1 - Math.floor(whole.length / 7), name);
  }
});

test("a proof file damaged anywhere is refused", async () => {
  const whole = vector("proof-file");
  for (let at = 0; at < whole.length; at += 1) {
    const damaged = whole.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    await assert.rejects(ProofRecord.fromFileBytes(damaged), MalformedError);
    await assert.rejects(ProofRecord.fromFileBytes(whole.subarray(0, at)), MalformedError);
  }
});
