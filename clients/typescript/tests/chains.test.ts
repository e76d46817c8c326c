// A chain of committees: what is asked, what is refused before it is sent, and what no server is believed.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { concat, equal, hexBytes } from "../src/bytes.js";
import {
  decodePublicValues,
  InvalidProofError,
  MalformedError,
  type ProofRecord,
  type VerifierOptions,
  VK_HASHES,
  WrongProofError,
} from "../src/node.js";
import { requests } from "./liar.js";
import {
  answered,
  BUNDLE,
  bundleOf,
  CHAINS,
  CHANGES,
  changed,
  changeTo,
  HANDOVER,
  INCLUSION,
  refusal,
  said,
  words,
  ZEROS,
} from "./parts.js";

const ALL = ["bundle", "chain"];

test("a chain begins, and is extended", async (test) => {
  const cases: [ProofRecord[], ProofRecord | undefined, ProofRecord][] = [
    [[CHANGES[0]], undefined, CHAINS[0]],
    [[CHANGES[1]], CHAINS[0], CHAINS[1]],
    [[...CHANGES], undefined, CHAINS[1]],
  ];
  for (const [changes, predecessor, due] of cases) {
    const told: VerifierOptions[] = [];
    const verifier = { verify: (_: Uint8Array, options: VerifierOptions) => told.push(options) };
    const { client, heard } = await answered(test, due, ALL, { verifier });
    const proof = await client.chain(changes, predecessor);
    assert.deepEqual(proof.record, due);
    const { head, newest } = proof.statement;
    assert.deepEqual([head.signerPeriod, newest], [1347n, said(due).newest]);
    assert.deepEqual(told, [{ committeeRoot: head.signerCommitteeRoot, chainDigest: head.chainDigest }]);
    const [asked] = requests(heard);
    assert(asked?.ask === "bundle");
    assert.deepEqual([asked.kind, asked.program, asked.vkHash], ["compressed", "chain", VK_HASHES.chain]);
    const first = predecessor ?? (changes[0] as ProofRecord);
    assert.deepEqual(asked.records.slice(4, 1_000), first.encode().slice(0, 996));
    await client.close();
  }
});

test("what no server is believed", async (test) => {
  // Each word but the offsets, the version and the program: anchor, participation, header, block, key, newest.
  const changes = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16].map((word): [ProofRecord, RegExp] => {
    const publicValues = CHAINS[1].publicValues.slice();
    publicValues[32 * word + 31] = (publicValues[32 * word + 31] ?? 0) ^ 1;
    return [changed(CHAINS[1], { publicValues }), /another statement: its .* is due/];
  });
  const wrong: [ProofRecord, RegExp][] = [
    ...changes,
    [CHAINS[0], /another statement: its .* is due/],
    [await bundleOf([HANDOVER]), /program bundle, asked for chain/],
    [CHANGES[1], /program committee-change, asked for chain/],
  ];
  for (const [record, expected] of wrong) {
    const { client } = await answered(test, record, ALL);
    await assert.rejects(client.chain([CHANGES[1]], CHAINS[0]), (error) => {
      assert(error instanceof WrongProofError, String(error));
      assert.match(error.message, expected);
      return true;
    });
    await client.close();
  }
});

test("proofs that do not follow are not sent", async (test) => {
  const { client, heard } = await answered(test, CHAINS[1], ALL);
  const [first, second] = CHANGES;
  const publicValues = CHAINS[0].publicValues.slice();
  publicValues.fill(0, 32 * 12, 32 * 13);
  const foreign = changed(CHAINS[0], { publicValues });
  const cases: [ProofRecord[], ProofRecord | undefined, number | undefined, RegExp][] = [
    [[second, first], undefined, 1, /proof 1: it begins in period 1347, the newest committee so far is that of 1349/],
    [[first, first], undefined, 1, /begins in period 1347, .* 1348/],
    [[first], CHAINS[0], 0, /proof 0: it begins in period 1347/],
    [[changeTo(CHAINS[1], CHAINS[0], { signerCommitteeRoot: ZEROS })], CHAINS[0], 0, /another committee than the newest so far/],
    [[changeTo(CHAINS[1], CHAINS[0], { chainDigest: ZEROS })], CHAINS[0], 0, /another chain than what is before it/],
    [[changeTo(CHAINS[0], undefined, {}, [])], undefined, 0, /teaches no committee/],
    [[INCLUSION], undefined, 0, /of the program inclusion: a chain is extended by committee changes/],
    [[CHAINS[0], second], undefined, 0, /of the program chain: a chain is extended by committee changes/],
    [[first, changed(second, { kind: "stark" })], undefined, 1, /proof 1: only a compressed/],
    [[second], changed(CHAINS[0], { kind: "groth16" }), undefined, /the chain so far: only a compressed/],
    [[second], first, undefined, /the chain so far is none, but of the program committee-change/],
    [[second], foreign, undefined, /the chain so far is by another program/],
    [[], CHAINS[0], undefined, /0 committee changes: a chain is extended by 1 to 64/],
    [Array<ProofRecord>(65).fill(first), undefined, undefined, /65 committee changes/],
  ];
  for (const [changes, predecessor, index, expected] of cases) {
    for (const asked of [() => client.chain(changes, predecessor), () => client.submitChain(changes, predecessor)]) {
      await assert.rejects(asked, refusal(index, expected));
    }
  }
  assert.deepEqual(heard, []);
});

test("only the one encoding is read: a changed byte is another value or refused, never the same statement", () => {
  const comparable = (statement: unknown) => JSON.stringify(statement, (_, one) => (typeof one === "bigint" ? `${one}n` : one));
  for (const { program, publicValues: whole, statement } of [BUNDLE, CHAINS[0]]) {
    for (let at = 0; at < whole.length; at += 1) {
      const other = whole.slice();
      other[at] = (other[at] ?? 0) ^ 0x80;
      try {
        assert.notEqual(comparable(decodePublicValues(program, other)), comparable(statement), `byte ${at}`);
      } catch (error) {
        if (!(error instanceof MalformedError)) throw error;
      }
    }
    for (const wrong of [whole.slice(0, -32), concat(whole, new Uint8Array(32)), new Uint8Array()]) {
      assert.throws(() => decodePublicValues(program, wrong), MalformedError);
    }
  }
  const whole = CHAINS[0].publicValues;
  const two = concat(whole.slice(0, 32 * 14), words(2), whole.slice(32 * 15), whole.slice(32 * 15));
  assert.throws(() => decodePublicValues("chain", two), /a list of 2, of one is due/);
  assert(equal(whole.slice(32 * 12, 32 * 13), hexBytes(VK_HASHES.chain)));
});

// `make wasm` builds it; where it is has to be said.
const built = process.env.SEXTANT_WASM_PACKAGE;
test("the package @sextant/verifier", { skip: built ? false : "SEXTANT_WASM_PACKAGE does not say where it is" }, async (test) => {
  const verifier: typeof import("../../../verifier/wasm/npm/index.js") = await import(
    pathToFileURL(join(built ?? "", "index.js")).href
  );
  // A build from before there were chains may lie in the cache: to that, it is no proof at all.
  const known = await verifier.inspect(await CHAINS[1].toFileBytes()).catch(() => undefined);
  if (!known?.pinnedProgram) return test.skip("the package knows no chains: make wasm");
  const chain = await answered(test, CHAINS[1], ALL, { verifier });
  assert.equal((await chain.client.chain([CHANGES[1]], CHAINS[0])).verified, true);
  const bundle = await answered(test, BUNDLE, ALL, { verifier });
  assert.equal((await bundle.client.bundle([HANDOVER, INCLUSION], "compressed")).verified, true);
  const proof = CHAINS[1].proof.slice();
  proof[100] = (proof[100] ?? 0) ^ 1;
  const forged = await answered(test, changed(CHAINS[1], { proof }), ALL, { verifier });
  await assert.rejects(forged.client.chain([CHANGES[1]], CHAINS[0]), InvalidProofError);
});
