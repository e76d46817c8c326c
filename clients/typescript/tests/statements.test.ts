// Statements from nodes' answers, and nodes' wrong answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeFlat } from "../src/flat.js";
import { COMMITTEE_CHANGE_INPUT, INCLUSION_INPUT } from "../src/inputs.js";
import { levels, merkleRoot, multiproof } from "../src/merkle.js";
import {
  chainDigest,
  HOODI,
  inputDigest,
  MAINNET,
  nodes,
  SEPOLIA,
  StatementError,
  type StatementInput,
  statements,
} from "../src/node.js";
import { checkpointOf, committeeChange, FACTORY, inclusion, node, type Recorded, recorded } from "./support.js";

const LIGHT = "/eth/v1/beacon/light_client";

/** What a mainnet node answered in July 2024, in period 1150. */
async function mainnetNode(): Promise<{ checkpoint: string; answers: Record<string, Recorded> }> {
  const bootstrap = recorded("bootstrap-9425184.json");
  const checkpoint = await checkpointOf(bootstrap);
  const updates = [recorded("update-9420873.json"), recorded("update-9430576.json")];
  const answers = {
    [`${LIGHT}/bootstrap/${checkpoint}`]: bootstrap,
    [`${LIGHT}/finality_update`]: updates[1],
    // As Lighthouse does it: one more than was asked for.
    [`${LIGHT}/updates?start_period=1150&count=2`]: [...updates, updates[1]],
    [`${LIGHT}/updates?start_period=1150&count=1`]: updates.slice(0, 1),
  };
  return { checkpoint, answers };
}

test("digests are those of the published chains", async () => {
  const digests = await Promise.all([MAINNET, SEPOLIA, HOODI].map(chainDigest));
  assert.deepEqual(
    digests.map((digest) => digest.slice(0, 10)),
    ["0x3d00b83d", "0x47321d20", "0x9cebfe2a"],
  );
});

test("an input is read back, and is the one that the other clients make", async () => {
  const [change, included] = [await committeeChange(2), await inclusion()];
  assert.equal(await inputDigest(change), "0xbe110fbadbaccd66c4f81fa178b9a358ce8908342cfe84fa593f08b1323b38cf");
  assert.equal(await inputDigest(included), "0xc53398207784431fe08ca30bbae740dba8efeb41a03a642c3d76dd0e039c8b25");
  assert.deepEqual(COMMITTEE_CHANGE_INPUT.write(decodeFlat(COMMITTEE_CHANGE_INPUT, change.bytes)), change.bytes);
  assert.deepEqual(INCLUSION_INPUT.write(decodeFlat(INCLUSION_INPUT, included.bytes)), included.bytes);
});

test("a multiproof is all that is needed, from left to right", async () => {
  const leaf = (byte: number) => new Uint8Array(32).fill(byte);
  const tree = await levels([1, 2, 3, 4].map(leaf));
  assert.deepEqual(multiproof(tree, []), [await merkleRoot([1, 2, 3, 4].map(leaf))]);
  assert.deepEqual(multiproof(tree, [1]), [leaf(1), await merkleRoot([leaf(3), leaf(4)])]);
  assert.deepEqual(multiproof(tree, [0, 3]), [leaf(2), leaf(3)]);
  assert.deepEqual(multiproof(tree, [0, 1, 2, 3]), []);
});

test("a bootstrap is of the checkpoint, and its committee in its state", async () => {
  const bootstrap = recorded("bootstrap-9425184.json").data;
  const updates = [recorded("update-9420873.json").data];
  const other = `0x${"00".repeat(32)}`;
  await assert.rejects(statements.committeeChange(MAINNET, { bootstrap, updates, checkpoint: other }), /not of the checkpoint/);
  const forged = structuredClone(bootstrap);
  const keys = forged.current_sync_committee.pubkeys;
  [keys[0], keys[1]] = [keys[1], keys[0]];
  await assert.rejects(statements.committeeChange(MAINNET, { bootstrap: forged, updates }), /not in its header's state/);
});

test("what is missing or misshapen is named", async () => {
  const bootstrap = recorded("bootstrap-9425184.json").data;
  const update = recorded("update-9420873.json").data;
  const changes: [(update: Recorded) => unknown, RegExp][] = [
    [(one) => delete one.signature_slot, /no signature_slot/],
    [(one) => Object.assign(one.sync_aggregate, { sync_committee_bits: "0xff" }), /sync_committee_bits: 64 bytes are due/],
    [(one) => Object.assign(one.attested_header.beacon, { slot: "many" }), /slot: "many"/],
    [(one) => Object.assign(one.attested_header.beacon, { slot: "18446744073709551616" }), /no number of 64 bits/],
    [(one) => Object.assign(one.finalized_header, { execution_branch: [] }), /execution_branch has 0/],
    [(one) => Object.assign(one, { finality_branch: null }), /finality_branch is no list/],
    [(one) => Object.assign(one, { finality_branch: ["0xzz"] }), /"0xzz" is no hex/],
    [(one) => Object.assign(one, { next_sync_committee: 5 }), /no pubkeys/],
  ];
  for (const [change, words] of changes) {
    const wrong = structuredClone(update);
    change(wrong);
    const made = statements.committeeChange(MAINNET, { bootstrap, updates: [wrong] });
    await assert.rejects(made, (error) => {
      assert(error instanceof StatementError, String(error));
      assert.match(error.message, words);
      return true;
    });
  }
  const fewer = structuredClone(update);
  fewer.next_sync_committee.pubkeys.pop();
  await assert.rejects(statements.committeeChange(MAINNET, { bootstrap, updates: [fewer, update] }), /has 511 keys/);
  await assert.rejects(statements.committeeChange(MAINNET, { bootstrap, updates: [] }), /no update/);
});

test("nothing is asked twice", async () => {
  const proof = recorded("inclusion-eth-get-proof.json").result;
  const bootstrap = recorded("inclusion-bootstrap.json").data;
  const finalityUpdate = recorded("inclusion-finality-update-9567542.json").data;
  const made = (accounts: Recorded[]) => statements.inclusion(MAINNET, { bootstrap, finalityUpdate, accounts });
  await assert.rejects(made([proof, proof]), /account 0x5c69.* twice/);
  const twice = structuredClone(proof);
  twice.storageProof.push(twice.storageProof[0]);
  await assert.rejects(made([twice]), /slot 0x290d.* twice/);
});

async function same(made: Promise<StatementInput>, due: Promise<StatementInput>): Promise<void> {
  assert.equal(await inputDigest(await made), await inputDigest(await due));
}

test("a committee change from a checkpoint", async (test) => {
  const { checkpoint, answers } = await mainnetNode();
  const beacon = await node(test, answers);
  await same(nodes.committeeChange(MAINNET, { beacon, checkpoint }), committeeChange(2));
  await same(nodes.committeeChange(MAINNET, { beacon, checkpoint, to: 1151 }), committeeChange(1));
});

test("an inclusion from a checkpoint", async (test) => {
  const bootstrap = recorded("inclusion-bootstrap.json");
  const checkpoint = await checkpointOf(bootstrap);
  const url = await node(test, {
    [`${LIGHT}/bootstrap/${checkpoint}`]: bootstrap,
    [`${LIGHT}/finality_update`]: recorded("inclusion-finality-update-9567542.json"),
    eth_getProof: recorded("inclusion-eth-get-proof.json").result,
  });
  const accounts = { [FACTORY]: [0x290decd9] };
  await same(nodes.inclusion(MAINNET, { beacon: `${url}/`, rpc: url, checkpoint, accounts }), inclusion());
});

test("a node that fails is named", async (test) => {
  const checkpoint = `0x${"11".repeat(32)}`;
  const beacon = await node(test, { [`${LIGHT}/bootstrap/${checkpoint}`]: "<html>" });
  await assert.rejects(nodes.committeeChange(HOODI, { beacon, checkpoint }), /bootstrap\/0x11.*: .*JSON/);
  const other = `0x${"22".repeat(32)}`;
  await assert.rejects(nodes.committeeChange(HOODI, { beacon, checkpoint: other }), /status 404/);
  await assert.rejects(nodes.committeeChange(HOODI, { beacon, checkpoint: "0x11" }), /32 bytes are due/);
  await assert.rejects(nodes.committeeChange(HOODI, { beacon: "http://127.0.0.1:1", checkpoint }), /127\.0\.0\.1:1.*: /);
  await assert.rejects(nodes.committeeChange(HOODI, { beacon: "file:///etc/passwd", checkpoint }), /not an http/);
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(nodes.committeeChange(HOODI, { beacon, checkpoint, signal }), /enough/);
});
