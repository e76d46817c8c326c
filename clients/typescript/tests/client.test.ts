// The client against a real server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { type AddressInfo, createServer, connect as dial, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";

import { decodeFlat } from "../src/flat.js";
import { COMMITTEE_CHANGE_INPUT } from "../src/inputs.js";
import {
  Client,
  ConnectionLostError,
  ErrorCode,
  InputTooLargeError,
  MalformedError,
  type Progress,
  ProofRecord,
  ServerError,
} from "../src/node.js";
import { PART } from "../src/requests.js";
import { committeeChange, connect, connected, folder, inclusion, program, server, until } from "./support.js";

/** A server's refusal with one of these codes. */
function refusal(...codes: number[]) {
  return (error: unknown) => {
    assert(error instanceof ServerError, String(error));
    assert(codes.includes(error.code), String(error));
    return true;
  };
}

test("both statements", async (test) => {
  const client = await connected(test);
  await client.ping();
  const info = await client.info();
  assert.deepEqual(info.programs.map((one) => one.program).sort(), ["bundle", "chain", "committee-change", "inclusion"]);
  const steps: Progress[] = [];
  const [change, included] = await Promise.all([
    client.prove(await committeeChange(2), "stark", { onProgress: (step) => steps.push(step) }),
    client.prove(await inclusion()),
  ]);
  assert.deepEqual(
    change.statement.learned.map((one) => one.period),
    [1151n, 1152n],
  );
  assert(included.statement.program === "inclusion");
  assert.equal(included.statement.accounts[0]?.nonce, 346165n);
  assert.deepEqual([included.record.kind, included.verified], ["stark", false]);
  assert(steps.length > 0);
  await client.verify(change.record);
  const wrong = new ProofRecord({ ...change.record, publicValues: included.record.publicValues });
  await assert.rejects(client.verify(wrong), refusal(ErrorCode.InvalidProof));
});

test("large proofs come and go in parts", async (test) => {
  const { url } = await server(test, { proofBytes: 700_000 });
  const client = await connect(test, url);
  const proof = await client.prove(await committeeChange());
  assert(proof.record.proof.length > 2 * PART);
  await client.verify(proof.record);
  const small = await connect(test, url, { maxRecord: 600_000 });
  await assert.rejects(small.prove(await committeeChange()), /a proof of 70/);
  await small.ping();
});

test("a false statement is refused, and what is none is not sent", async (test) => {
  const input = await committeeChange();
  const asked = decodeFlat(COMMITTEE_CHANGE_INPUT, input.bytes);
  for (const handover of asked.handovers) handover.nextCommitteeRoot = new Uint8Array(32);
  const client = await connected(test);
  const wrong = { ...input, bytes: COMMITTEE_CHANGE_INPUT.write(asked) };
  await assert.rejects(client.prove(wrong), refusal(ErrorCode.InvalidStatement));
  await assert.rejects(client.prove({ ...input, bytes: new Uint8Array(9) }), MalformedError);
});

test("a job outlives its connection", async (test) => {
  const { url } = await server(test, { proveMs: 300 });
  const leaving = await connect(test, url);
  const { job } = await leaving.submit(await committeeChange(), "stark");
  await leaving.close();
  const client = await connect(test, url);
  const proof = await client.fetch(job, await committeeChange(), "stark");
  assert.equal(proof.job, job);
  await assert.rejects(client.fetch(`0x${"00".repeat(32)}`, await committeeChange(), "stark"), refusal(ErrorCode.UnknownJob));
});

test("a job is withdrawn", async (test) => {
  const client = await connected(test, { proveMs: 60_000 });
  const { job } = await client.submit(await committeeChange(), "stark");
  await client.withdraw(job);
  const fetched = client.fetch(job, await committeeChange(), "stark");
  await assert.rejects(fetched, refusal(ErrorCode.Cancelled, ErrorCode.UnknownJob));
});

test("an aborted request ends its job", async (test) => {
  const client = await connected(test, { proveMs: 60_000 });
  const running = async () => (await client.info()).programs.some((one) => one.running > 0);
  const controller = new AbortController();
  const proving = client.prove(await committeeChange(), "stark", { signal: controller.signal });
  await until(running);
  controller.abort();
  await assert.rejects(proving, { name: "AbortError" });
  await until(async () => !(await running()));
});

test("a deadline ends it", async (test) => {
  const client = await connected(test, { proveMs: 60_000 });
  const proving = client.prove(await committeeChange(), "stark", { deadline: 500 });
  await assert.rejects(proving, refusal(ErrorCode.DeadlineExceeded));
});

test("a kind that is not made here", async (test) => {
  const client = await connected(test, { arguments: ["--kinds", "stark"] });
  await assert.rejects(client.prove(await committeeChange(), "groth16"), refusal(ErrorCode.Unsupported));
  await assert.rejects(client.prove(await committeeChange(), "snark" as "stark"), /snark is no kind of proof/);
});

test("what is larger than the server takes is not sent", async (test) => {
  const [one, two] = [await committeeChange(), await committeeChange(2)];
  const limit = Math.ceil(one.bytes.length / 1024);
  const client = await connected(test, { arguments: ["--max-input-kib", String(limit)] });
  await client.prove(one);
  const words = new RegExp(`has ${two.bytes.length} bytes, this server takes ${limit * 1024} at most`);
  for (const tooLarge of [() => client.prove(two), () => client.submit(two, "stark")]) {
    await assert.rejects(tooLarge, (error) => {
      assert(error instanceof InputTooLargeError, String(error));
      assert.match(error.message, words);
      return true;
    });
  }
});

test("tokens", async (test) => {
  const made = await promisify(execFile)(program("proof-server"), ["new-token", "alice"]);
  const file = join(folder(test), "tokens.toml");
  writeFileSync(file, made.stderr);
  const { url } = await server(test, { arguments: ["--token-file", file] });
  await assert.rejects(Client.connect(url), refusal(ErrorCode.Unauthorized));
  const client = await connect(test, url, { token: made.stdout.trim() });
  await client.prove(await committeeChange());
});

test("pages of other origins are told apart", async (test) => {
  const { url } = await server(test, { arguments: ["--http-origins", "https://page.example"] });
  const page = (origin: string) => ({ webSocket: (address: string) => new WebSocket(address, { origin }) });
  await (await connect(test, url, page("https://page.example"))).ping();
  await assert.rejects(Client.connect(url, page("https://other.example")), /403/);
});

test("where no server is", async () => {
  await assert.rejects(Client.connect("http://127.0.0.1:1"), (error) => {
    assert(error instanceof ConnectionLostError, String(error));
    assert.match(error.message, /127\.0\.0\.1:1/);
    return true;
  });
});

test("a server that goes away", async (test) => {
  const { url, stop } = await server(test, { proveMs: 60_000 });
  const client = await connect(test, url, { reconnects: 1 });
  const proving = client.prove(await committeeChange());
  await client.ping();
  const ended = assert.rejects(proving, ConnectionLostError);
  await stop();
  await ended;
  await assert.rejects(client.ping(), ConnectionLostError);
});

/** Passes bytes on to a server, and breaks each of the first connections off after so many of its answer. */
async function cutting(test: TestContext, server: string, after: number[]): Promise<{ url: string; connections: () => number }> {
  const { hostname, port } = new URL(server);
  let connections = 0;
  const open = new Set<Socket>();
  const listening = createServer((near) => {
    const limit = after[connections] ?? Number.POSITIVE_INFINITY;
    connections += 1;
    const far = dial(Number(port), hostname);
    let passed = 0;
    far.on("data", (data) => {
      passed += data.length;
      if (passed <= limit) near.write(data);
      else near.destroy();
    });
    near.pipe(far);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(one);
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  test.after(() => {
    for (const socket of open) socket.destroy();
    listening.close();
  });
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, connections: () => connections };
}

test("a proof whose connection breaks twice on the way", async (test) => {
  const { url } = await server(test, { proofBytes: 8_000_000 });
  const line = await cutting(test, url, [2_000_000, 3_000_000]);
  const client = await connect(test, line.url);
  const proof = await client.prove(await committeeChange());
  assert(proof.record.proof.length === 8_000_000);
  assert.equal(line.connections(), 3);
});
