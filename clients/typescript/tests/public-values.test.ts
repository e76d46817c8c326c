// What recorded proofs say, read as the other implementations read it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { BYTES, decodeAbi, struct } from "../src/abi.js";
import { concat, hexBytes } from "../src/bytes.js";
import { decodePublicValues, MalformedError, VK_HASHES } from "../src/node.js";
import { REPOSITORY, recordedProof } from "./support.js";

test("a committee change", async () => {
  const { statement } = await recordedProof("committee-change");
  assert.equal(statement.program, "committee-change");
  assert.deepEqual([statement.head.signerPeriod, statement.head.finalizedSlot], [1150n, 9430496n]);
  assert.deepEqual(
    statement.learned.map((one) => one.period),
    [1151n, 1152n],
  );
});

test("an inclusion with everything", async () => {
  const { statement } = await recordedProof("catch-up-slot-and-log");
  assert(statement.program === "inclusion");
  assert.equal(statement.facts.number, statement.head.blockNumber);
  assert.deepEqual(
    statement.learned.map((one) => one.period),
    [519n],
  );
  assert.equal(statement.accounts[0]?.nonce, 346165n);
  assert.equal(statement.accounts[0]?.address, "0x5c69bee701ef814a2b6a3edd4b1652cb9cc5aa6f");
  assert.equal(statement.accounts[0]?.slots[0]?.exists, false);
  assert.deepEqual([statement.logs[0]?.transaction, statement.logs[0]?.topics.length], [197, 3]);
  assert.equal(BigInt(statement.logs[0]?.data ?? 0), 34376600000000000000000n);
});

test("only the one encoding is read: a changed byte is another value or refused, never the same statement", async () => {
  const record = await recordedProof("catch-up-slot-and-log");
  const whole = record.publicValues;
  const said = comparable(record.statement);
  for (let at = 0; at < whole.length; at += 1) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    try {
      assert.notEqual(comparable(decodePublicValues(record.program, changed)), said, `byte ${at}`);
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
    }
  }
  for (const wrong of [whole.slice(0, -32), concat(whole, new Uint8Array(32)), whole.slice(0, -1), new Uint8Array()]) {
    assert.throws(() => decodePublicValues(record.program, wrong), MalformedError);
  }
});

function comparable(statement: unknown): string {
  return JSON.stringify(statement, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
}

test("another version is named, and another program", async () => {
  const record = await recordedProof("inclusion");
  const older = record.publicValues.slice();
  older[63] = 1;
  assert.throws(() => decodePublicValues(record.program, older), /version 1/);
  assert.throws(() => decodePublicValues(7, record.publicValues), /program 7/);
  assert.throws(() => decodePublicValues("committee-change", record.publicValues), MalformedError);
  const other = record.publicValues.slice();
  other[95] = 1;
  assert.throws(() => decodePublicValues("inclusion", other), /program 1 in a proof by program inclusion/);
});

test("bytes are as long as they say, and padded with zeros", () => {
  const words = (length: number, padding: string) =>
    hexBytes(`0x${[32, 32, length].map((word) => word.toString(16).padStart(64, "0")).join("")}aabb${padding.padEnd(60, "0")}`);
  const kind = struct({ data: BYTES });
  assert.deepEqual(decodeAbi(kind, words(2, "")), { data: "0xaabb" });
  for (const wrong of [words(2, "01"), words(1, ""), words(33, ""), words(2 ** 40, "")]) {
    assert.throws(() => decodeAbi(kind, wrong), MalformedError);
  }
});

test("the pinned programs are those that are sealed", () => {
  const manifest = readFileSync(join(REPOSITORY, "artifacts", "manifest.json"), "utf8");
  for (const [program, vkHash] of Object.entries(VK_HASHES)) {
    assert(manifest.includes(vkHash.slice(2)), program);
    assert(manifest.includes(program));
  }
});
