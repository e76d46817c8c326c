// A bundle: what is asked, what is refused before it is sent, and what no server is believed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { concat } from "../src/bytes.js";
import {
  ErrorCode,
  NotOfferedError,
  type Progress,
  type ProofRecord,
  ServerError,
  type VerifierOptions,
  VK_HASHES,
  WrongProofError,
} from "../src/node.js";
import { PART } from "../src/requests.js";
import { liar, requests, sayProof, welcome } from "./liar.js";
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
  sent,
  ZEROS,
} from "./parts.js";
import { connect, connected, until } from "./support.js";

const PARTS = [HANDOVER, INCLUSION];
const JOB = `0x${"07".repeat(32)}` as const;

test("a bundle of proofs in their order", async (test) => {
  const steps: Progress[] = [];
  const server = await liar(test, {
    greeting: [welcome(3, ["bundle"])],
    onRequest: async ({ id, request }, peer) => {
      assert(request.ask === "bundle");
      peer.say({ type: "progress", id, progress: { step: "bundling", done: 1, total: 2 } });
      const due = Math.ceil(request.more / PART);
      await until(() => server.heard.filter((message) => message.type === "part").length === due);
      await sayProof(peer, id, BUNDLE.encode());
    },
  });
  const client = await connect(test, server.url);
  const proof = await client.bundle(PARTS, "compressed", { deadline: 9_000, onProgress: (step) => steps.push(step) });
  assert.deepEqual(proof.record, BUNDLE);
  assert.deepEqual(
    proof.statement.parts.map((part) => part.program),
    ["committee-change", "inclusion"],
  );
  assert.equal(proof.verified, false);
  assert.deepEqual(steps, [{ step: "bundling", done: 1, total: 2 }]);
  const [asked] = requests(server.heard);
  assert(asked?.ask === "bundle");
  assert.deepEqual([asked.kind, asked.program, asked.vkHash], ["compressed", "bundle", VK_HASHES.bundle]);
  assert(asked.deadlineMs > 8_000 && asked.deadlineMs <= 9_000);
  assert.deepEqual(concat(...sent(server.heard)), concat(...PARTS.map((part) => part.encode())));
});

test("what no server is believed", async (test) => {
  const publicValues = HANDOVER.publicValues.slice();
  publicValues[publicValues.length - 1] = (publicValues.at(-1) ?? 0) ^ 1;
  const other = changed(HANDOVER, { publicValues });
  const wrong: [ProofRecord, RegExp][] = [
    [await bundleOf([INCLUSION, HANDOVER]), /statement 0 of its bundle is inclusion 0x\w+, committee-change 0x\w+ is due/],
    [await bundleOf([...PARTS, INCLUSION]), /its bundle has 3 statements, 2 are due/],
    [await bundleOf([HANDOVER]), /its bundle has 1 statements, 2 are due/],
    [await bundleOf([other, INCLUSION]), /statement 0 of its bundle is committee-change/],
    [await bundleOf([HANDOVER, HANDOVER]), /statement 1 of its bundle is committee-change/],
    [await bundleOf(PARTS, ZEROS), /its chainDigest is 0x00/],
    [CHAINS[0], /program chain, asked for bundle/],
    [HANDOVER, /program committee-change, asked for bundle/],
    [changed(BUNDLE, { kind: "groth16" }), /kind groth16, asked for compressed/],
    [changed(BUNDLE, { vkHash: ZEROS }), /another program than the pinned one/],
  ];
  for (const [record, words] of wrong) {
    const { client } = await answered(test, record);
    await assert.rejects(client.bundle(PARTS, "compressed"), (error) => {
      assert(error instanceof WrongProofError, String(error));
      assert.match(error.message, words);
      return true;
    });
    await client.close();
  }
});

test("proofs that do not go together are not sent", async (test) => {
  const { client, heard } = await answered(test, BUNDLE);
  const cases: [ProofRecord[], number | undefined, RegExp][] = [
    [[HANDOVER, changed(INCLUSION, { kind: "stark" })], 1, /proof 1: only a compressed .* kind stark/],
    [[changed(HANDOVER, { kind: "groth16" })], 0, /proof 0: only a compressed .* kind groth16/],
    [[HANDOVER, changed(INCLUSION, { vkHash: ZEROS })], 1, /proof 1: .* another program than the pinned/],
    [[HANDOVER, BUNDLE], 1, /proof 1: it is of the program bundle, which is not bundled/],
    [[CHAINS[0]], 0, /proof 0: it is of the program chain/],
    [[changed(HANDOVER, { program: 9 })], 0, /proof 0: program 9 is not known/],
    [[HANDOVER, changed(HANDOVER, { publicValues: new Uint8Array() })], 1, /proof 1: public values end/],
    [[HANDOVER, changeTo(CHAINS[0], undefined, { chainDigest: ZEROS })], 1, /proof 1: it is about another chain than the first/],
    [[], undefined, /0 proofs: a bundle has 1 to 64/],
    [Array<ProofRecord>(65).fill(HANDOVER), undefined, /65 proofs: a bundle has 1 to 64/],
  ];
  for (const [proofs, index, words] of cases) {
    await assert.rejects(client.bundle(proofs), refusal(index, words));
    await assert.rejects(client.submitBundle(proofs), refusal(index, words));
    await assert.rejects(client.fetchBundle(JOB, proofs), refusal(index, words));
  }
  assert.deepEqual(heard, []);
});

test("a server that does not know how is not asked", async (test) => {
  const old = await answered(test, BUNDLE, ["wrap"]);
  const lacking = (capability: string) => (error: unknown) => {
    assert(error instanceof NotOfferedError, String(error));
    assert.equal(error.capability, capability);
    return true;
  };
  await assert.rejects(old.client.bundle(PARTS), lacking("bundle"));
  await assert.rejects(old.client.submitBundle(PARTS), lacking("bundle"));
  await assert.rejects(old.client.chain([CHANGES[0]]), lacking("chain"));
  await assert.rejects(old.client.submitChain([CHANGES[0]]), lacking("chain"));
  assert.deepEqual(old.heard, []);
  // One of a version that bundles, and extends no chains yet.
  const bundling = await answered(test, BUNDLE, ["bundle"]);
  await assert.rejects(bundling.client.chain([CHANGES[0]]), lacking("chain"));
  assert.deepEqual(bundling.heard, []);
  await bundling.client.bundle(PARTS, "compressed");
});

test("where the connection leads to another server than before, that is not asked what it does not know", async (test) => {
  const server = await liar(test, {
    greeting: [welcome(3, ["bundle"])],
    laterGreeting: [welcome(3, [])],
    onRequest: (_, peer) => peer.breakOff(),
  });
  const client = await connect(test, server.url);
  await assert.rejects(client.bundle(PARTS), NotOfferedError);
  assert.equal(requests(server.heard).length, 1);
});

test("what is asked for goes on where the connection breaks, and who aborts is heard", async (test) => {
  const server = await liar(test, {
    greeting: [welcome(3, ["bundle"])],
    onRequest: ({ id }, peer) => (peer.number === 0 ? peer.breakOff() : sayProof(peer, id, BUNDLE.encode())),
  });
  const client = await connect(test, server.url);
  assert.deepEqual((await client.bundle(PARTS, "compressed")).record, BUNDLE);
  assert.equal(requests(server.heard).length, 2);

  const silent = await liar(test, { greeting: [welcome(3, ["bundle"])] });
  const waiting = await connect(test, silent.url);
  const controller = new AbortController();
  const bundling = waiting.bundle(PARTS, "compressed", { signal: controller.signal });
  await until(() => silent.heard.length > 0);
  controller.abort(new Error("enough"));
  await assert.rejects(bundling, /enough/);
  await until(() => silent.heard.at(-1)?.type === "cancel");
});

test("what was submitted is fetched, and must be what was asked for", async (test) => {
  const server = await liar(test, {
    greeting: [welcome(3, ["bundle", "chain"])],
    onRequest: ({ id, request }, peer) => {
      if (request.ask !== "submitBundle") return sayProof(peer, id, (chains() ? CHAINS[1] : BUNDLE).encode());
      peer.say({ type: "answer", id, result: { response: { answer: "submitted", job: JOB, keptS: 3_600n } } });
    },
  });
  const chains = () => requests(server.heard).filter((request) => request.ask === "submitBundle").length === 2;
  const client = await connect(test, server.url);
  assert.deepEqual(await client.submitBundle(PARTS, "compressed", { deadline: 60_000 }), { job: JOB, keptS: 3_600n });
  assert.deepEqual((await client.fetchBundle(JOB, PARTS, "compressed")).record, BUNDLE);
  await assert.rejects(client.fetchBundle(JOB, [INCLUSION, HANDOVER], "compressed"), /statement 0 of its bundle/);
  await client.submitChain([CHANGES[1]], CHAINS[0]);
  assert.deepEqual((await client.fetchChain(JOB, [CHANGES[1]], CHAINS[0])).record, CHAINS[1]);
  await assert.rejects(client.fetchChain(JOB, [CHANGES[0]]), /its finalizedSlot is/);
  const asked = requests(server.heard);
  assert.deepEqual(
    asked.map((request) => request.ask),
    ["submitBundle", "fetch", "fetch", "submitBundle", "fetch", "fetch"],
  );
  const [bundle, , , chain] = asked;
  assert(bundle?.ask === "submitBundle" && chain?.ask === "submitBundle");
  assert.deepEqual([bundle.deadlineMs, bundle.program, chain.program], [60_000, "bundle", "chain"]);
});

test("a bundle becomes a SNARK of the same list, and a verifier is told of no committee", async (test) => {
  const snark = changed(BUNDLE, { kind: "groth16", proof: new Uint8Array(9) });
  const server = await liar(test, {
    greeting: [welcome(3, ["bundle", "wrap"])],
    onRequest: ({ id, request }, peer) => sayProof(peer, id, (request.ask === "wrap" ? snark : BUNDLE).encode()),
  });
  const told: VerifierOptions[] = [];
  const client = await connect(test, server.url, { verifier: { verify: (_, options) => told.push(options) } });
  const proof = await client.bundle(PARTS, "compressed");
  assert.equal(proof.verified, true);
  assert.deepEqual((await client.wrap(proof)).statement, proof.statement);
  const { chainDigest } = proof.statement;
  assert.deepEqual(told, [{ chainDigest }, { chainDigest }]);
});

// Its workers take what they have made alone, and make nothing of which a bundle could be.
test("a real server reads all proofs, and names the one that does not hold", async (test) => {
  const client = await connected(test);
  const refused = (code: number, words: RegExp) => (error: unknown) => {
    assert(error instanceof ServerError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, words);
    return true;
  };
  for (const asked of [
    () => client.bundle(PARTS, "compressed"),
    () => client.submitBundle(PARTS, "compressed"),
    () => client.chain([CHANGES[1]], CHAINS[0]),
    () => client.submitChain([CHANGES[1]], CHAINS[0]),
  ]) {
    await assert.rejects(asked, refused(ErrorCode.InvalidProof, /proof 0: no script has made it/));
  }
  await assert.rejects(client.bundle(PARTS, "stark"), refused(ErrorCode.Unsupported, /./));
});
