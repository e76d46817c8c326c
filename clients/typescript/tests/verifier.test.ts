// With a verifier, a proof that is not true does not pass.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { pathToFileURL } from "node:url";

import { type ConnectOptions, InvalidProofError, ProofRecord, type Verifier, type VerifierOptions } from "../src/node.js";
import { liar, requests, sayProof } from "./liar.js";
import { committeeChange, connect, DATA, recordedProof, seemingProof } from "./support.js";

/** A client of a server that answers every request with this record. */
async function answered(test: TestContext, record: ProofRecord, options: ConnectOptions) {
  const server = await liar(test, {
    onRequest: ({ id }, peer) => sayProof(peer, id, record.encode()),
  });
  return { client: await connect(test, server.url, options), heard: server.heard };
}

test("it is told what is due, and what came", async (test) => {
  const record = await seemingProof("committee-change");
  const asked: [Uint8Array, VerifierOptions][] = [];
  const verifier: Verifier = {
    verify: async (file, options) => {
      asked.push([file, options]);
    },
  };
  const { client } = await answered(test, record, { verifier });
  const proof = await client.prove(await committeeChange(2), "groth16");
  assert.equal(proof.verified, true);
  const [file, options] = asked[0] as [Uint8Array, VerifierOptions];
  assert.deepEqual(await ProofRecord.fromFileBytes(file), record);
  const { signerCommitteeRoot: committeeRoot, chainDigest } = proof.statement.head;
  assert.deepEqual(options, { committeeRoot, chainDigest });
  assert.equal((await client.prove(await committeeChange(2), "groth16", { verify: false })).verified, false);
  assert.equal(asked.length, 1);
});

test("what it refuses is no proof, and what it cannot do is no verdict", async (test) => {
  const record = await seemingProof("committee-change");
  let thrown: Error = Object.assign(new Error("it does not hold"), { name: "SextantError", code: "rejected" });
  const verifier: Verifier = { verify: () => Promise.reject(thrown) };
  const { client } = await answered(test, record, { verifier });
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), (error) => {
    assert(error instanceof InvalidProofError, String(error));
    assert.deepEqual([error.code, error.message, error.cause], ["rejected", "it does not hold", thrown]);
    return true;
  });
  thrown = Object.assign(new Error("no such module"), { code: "ENOENT" });
  await assert.rejects(client.prove(await committeeChange(2), "groth16"), thrown);
});

test("nothing is asked for that could not be verified; without a word, compressed proofs are", async (test) => {
  const record = new ProofRecord({ ...(await seemingProof("committee-change")), kind: "compressed" });
  const { client, heard } = await answered(test, record, { verifier: { verify: () => undefined } });
  await assert.rejects(client.prove(await committeeChange(2), "plonk"), /plonk proofs are not verified here/);
  assert.equal(heard.length, 0);
  assert.equal((await client.prove(await committeeChange(2))).record.kind, "compressed");
  const [asked] = requests(heard);
  assert(asked?.ask === "prove");
  assert.equal(asked.kind, "compressed");
});

// `make wasm` builds it; where it is has to be said.
const built = process.env.SEXTANT_WASM_PACKAGE;
test("the package @sextant/verifier", { skip: built ? false : "SEXTANT_WASM_PACKAGE does not say where it is" }, async (test) => {
  const verifier: typeof import("../../../verifier/wasm/npm/index.js") = await import(
    pathToFileURL(join(built ?? "", "index.js")).href
  );
  const allowDevCircuits = new Uint8Array(readFileSync(join(DATA, "recorded-snarks", "groth16_vk.bin")));
  const record = await recordedProof("committee-change");
  const honest = await answered(test, record, { verifier, allowDevCircuits });
  assert.equal((await honest.client.prove(await committeeChange(2), "groth16")).verified, true);
  const lying = await answered(test, forged(record), { verifier: await verifier.load(), allowDevCircuits });
  await assert.rejects(lying.client.prove(await committeeChange(2), "groth16"), InvalidProofError);
  const released = await answered(test, await seemingProof("committee-change"), { verifier });
  await assert.rejects(released.client.prove(await committeeChange(2), "groth16"), InvalidProofError);

  const file = readFileSync(join(DATA, "recorded-starks", "committee-change-compressed.proof"));
  const compressed = await ProofRecord.fromFileBytes(file);
  const real = await answered(test, compressed, { verifier });
  const proof = await real.client.prove(await committeeChange());
  assert.deepEqual([proof.verified, proof.statement.head.finalizedSlot], [true, 9420800n]);
  const core = await ProofRecord.fromFileBytes(readFileSync(join(DATA, "recorded-starks", "inclusion.proof")));
  await verifier.verify(await core.toFileBytes(), { network: "mainnet" });
  const changed = await answered(test, forged(compressed), { verifier });
  await assert.rejects(changed.client.prove(await committeeChange()), InvalidProofError);
});

/** The same with one bit of the proof changed. */
function forged(record: ProofRecord): ProofRecord {
  const proof = record.proof.slice();
  proof[100] = (proof[100] ?? 0) ^ 1;
  return new ProofRecord({ ...record, proof });
}
