// Recorded proofs that become one, and what a server may say that it has made of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";

import { concat, type Hex, hexBytes, littleEndian, sha256, toHex } from "../src/bytes.js";
import { BundlingError, type Client, type CommitteeChain, type ConnectOptions, ProofRecord } from "../src/node.js";
import { type Heard, type Liar, liar, requests, sayProof, welcome } from "./liar.js";
import { connect, DATA } from "./support.js";

/** A recorded compressed proof; the core STARK among them as if it were one, which only a verifier notices. */
async function recorded(name: string): Promise<ProofRecord> {
  const record = await ProofRecord.fromFileBytes(readFileSync(join(DATA, "recorded-starks", `${name}.proof`)));
  return changed(record, { kind: "compressed" });
}

/** A record with something else in it. */
export function changed(record: ProofRecord, changes: Partial<ProofRecord>): ProofRecord {
  return new ProofRecord({ ...record, ...changes });
}

export const HANDOVER = await recorded("committee-change-compressed");
export const INCLUSION = await recorded("inclusion");
export const BUNDLE = await recorded("bundle-compressed");
/** A chain, and the same longer by one change. */
export const CHAINS = [await recorded("chain-1-compressed"), await recorded("chain-2-compressed")] as const;
export const ZEROS: Hex = toHex(new Uint8Array(32));

/** Numbers and hashes, of 32 bytes each. */
export function words(...values: (number | bigint | Hex)[]): Uint8Array<ArrayBuffer> {
  return concat(...values.map((value) => (typeof value === "string" ? hexBytes(value, 32) : littleEndian(value, 32).reverse())));
}

/** A proof that says to be the bundle of these. */
export async function bundleOf(parts: ProofRecord[], chainDigest = said(CHAINS[0]).head.chainDigest): Promise<ProofRecord> {
  const named: (number | Hex)[] = [];
  for (const part of parts) {
    named.push(part.program === "inclusion" ? 2 : 1, toHex(await sha256(part.publicValues)));
  }
  return changed(BUNDLE, { publicValues: words(32, 2, 3, chainDigest, 128, parts.length, ...named) });
}

/** What a chain says. */
export function said(chain: ProofRecord): CommitteeChain {
  const { statement } = chain;
  if (statement.program !== "chain") throw new Error(`this is of the program ${statement.program}`);
  return statement;
}

/** The committee change by which a chain is longer than `after`; or something like it. */
export function changeTo(
  chain: ProofRecord,
  after?: ProofRecord,
  changes: Partial<CommitteeChain["head"]> = {},
  learned = [said(chain).newest],
): ProofRecord {
  const begin = after && said(after).newest;
  const signer = begin && { signerPeriod: begin.period, signerCommitteeRoot: begin.committeeRoot };
  const head = { ...said(chain).head, program: 1n, ...signer, ...changes };
  const list = learned.flatMap((one) => [one.period, one.committeeRoot]);
  return changed(HANDOVER, { publicValues: words(32, ...Object.values(head), 384, learned.length, ...list) });
}

export const CHANGES = [changeTo(CHAINS[0]), changeTo(CHAINS[1], CHAINS[0])] as const;

/** A client of a server that knows this much, and answers each request with this record. */
export async function answered(
  test: TestContext,
  record: ProofRecord,
  capabilities: string[] = ["bundle", "chain", "wrap"],
  options: ConnectOptions = {},
): Promise<Liar & { client: Client }> {
  const server = await liar(test, {
    greeting: [welcome(3, capabilities)],
    onRequest: ({ id }, peer) => sayProof(peer, id, record.encode()),
  });
  return { ...server, client: await connect(test, server.url, options) };
}

/** The records of the first request that was heard, with its parts. */
export function sent(heard: Heard[]): Uint8Array[] {
  const [request] = requests(heard);
  if (request?.ask !== "bundle") throw new Error("no bundle was asked for");
  const parts = heard.flatMap((message) => (message.type === "part" ? [message.bytes] : []));
  let rest: Uint8Array = concat(request.records, ...parts);
  const records: Uint8Array[] = [];
  while (rest.length > 0) {
    const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0, true);
    records.push(rest.subarray(4, 4 + length));
    rest = rest.subarray(4 + length);
  }
  return records;
}

/** That it is a refusal of proofs, which names this one. */
export function refusal(index: number | undefined, words: RegExp) {
  return (error: unknown) => {
    assert(error instanceof BundlingError, String(error));
    assert.match(error.message, words);
    assert.equal(error.index, index);
    return true;
  };
}
