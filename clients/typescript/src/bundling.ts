// From compressed proofs that somebody has to one proof that all of them hold: a bundle of any, or a chain of committee changes.
//
// What the one proof must say follows from what the others say: the rules are those of the consensus crate's `bundle` and
// `committee_chain`.

import { joined, littleEndian, sha256, toHex } from "./bytes.js";
import { BundlingError, SextantError } from "./errors.js";
import { VK_HASHES } from "./pinned.js";
import type { ProofRecord } from "./proof.js";
import type { Bundle, Bundled, CommitteeChain, CommitteeChange, Statement } from "./public-values.js";

const MAX_PROOFS = 64;

/** Compressed proofs that go together, as a request has them, and what the one proof of them must say. */
export interface Bundling<S extends Bundle | CommitteeChain> {
  records: Uint8Array;
  statement: S;
}

/** Proofs of statements about one chain, in this order. Rejects with {@link BundlingError}. */
export async function bundleOf(proofs: ProofRecord[]): Promise<Bundling<Bundle>> {
  checkCount(proofs.length, "proofs", "a bundle has");
  let begun: Omit<Bundle, "parts"> | undefined;
  const parts: Bundled[] = [];
  for (const [index, proof] of proofs.entries()) {
    const statement = said(proof, index);
    const { program } = statement;
    if (program === "bundle" || program === "chain") {
      throw new BundlingError(`it is of the program ${program}, which is not bundled`, index);
    }
    const { version, chainDigest } = statement.head;
    begun ??= { program: "bundle", version, chainDigest };
    if (chainDigest !== begun.chainDigest) throw new BundlingError("it is about another chain than the first", index);
    parts.push({ program, digest: toHex(await sha256(proof.publicValues)) });
  }
  return { records: encoded(proofs), statement: { ...(begun as Omit<Bundle, "parts">), parts } };
}

/**
 * Proofs of committee changes, each of which begins where the one before it ends, the first at the end of `predecessor`, a proof of
 * the chain so far. Throws {@link BundlingError}; its index counts the changes alone.
 */
export function chainOf(changes: ProofRecord[], predecessor?: ProofRecord): Bundling<CommitteeChain> {
  checkCount(changes.length, "committee changes", "a chain is extended by");
  let chain = predecessor && chainSoFar(predecessor);
  for (const [index, change] of changes.entries()) {
    const statement = said(change, index);
    if (statement.program !== "committee-change") {
      throw new BundlingError(`it is of the program ${statement.program}: a chain is extended by committee changes`, index);
    }
    chain = follow(chain, statement, index);
  }
  const records = encoded(predecessor ? [predecessor, ...changes] : changes);
  return { records, statement: chain as CommitteeChain };
}

function checkCount(count: number, what: string, holder: string): void {
  if (count < 1 || count > MAX_PROOFS) throw new BundlingError(`${count} ${what}: ${holder} 1 to ${MAX_PROOFS}`);
}

/** What a proof says that becomes part of another. Whether it holds, the server sees, and names it where it does not. */
function said(proof: ProofRecord, index?: number): Statement {
  if (proof.kind !== "compressed") {
    throw new BundlingError(`only a compressed proof can be bundled, this is of kind ${proof.kind}`, index);
  }
  let statement: Statement;
  try {
    statement = proof.statement;
  } catch (error) {
    if (error instanceof SextantError) throw new BundlingError(error.message, index);
    throw error;
  }
  if (proof.vkHash !== VK_HASHES[statement.program]) {
    throw new BundlingError("it is by another program than the pinned one", index);
  }
  return statement;
}

function chainSoFar(predecessor: ProofRecord): CommitteeChain {
  let chain: Statement;
  try {
    chain = said(predecessor);
  } catch (error) {
    if (error instanceof BundlingError) throw new BundlingError(`the chain so far: ${error.message}`);
    throw error;
  }
  if (chain.program !== "chain") throw new BundlingError(`the chain so far is none, but of the program ${chain.program}`);
  // Whatever has another key in it may have been made by a program that says anything.
  if (chain.programKey !== VK_HASHES.chain) throw new BundlingError("the chain so far is by another program than the pinned one");
  return chain;
}

/** The chain so far, longer by one change; or a new one, which begins where the change does. */
function follow(chain: CommitteeChain | undefined, { head, learned }: CommitteeChange, index: number): CommitteeChain {
  const newest = learned.at(-1);
  if (newest === undefined) throw new BundlingError("it teaches no committee", index);
  const begun: CommitteeChain = { program: "chain", head: { ...head, program: 4n }, programKey: VK_HASHES.chain, newest };
  if (chain === undefined) return begun;
  const { head: before, newest: end } = chain;
  if (head.chainDigest !== before.chainDigest) {
    throw new BundlingError("it is about another chain than what is before it", index);
  }
  if (head.signerPeriod !== end.period) {
    const words = `it begins in period ${head.signerPeriod}, the newest committee so far is that of ${end.period}`;
    throw new BundlingError(words, index);
  }
  if (head.signerCommitteeRoot !== end.committeeRoot) {
    throw new BundlingError("it begins at another committee than the newest so far", index);
  }
  const { signerPeriod, signerCommitteeRoot } = before;
  const { participation } = before.participation < head.participation ? before : head;
  return { ...begun, head: { ...begun.head, signerPeriod, signerCommitteeRoot, participation } };
}

/** Of each the length and the encoded record. */
function encoded(proofs: ProofRecord[]): Uint8Array {
  const records = proofs.map((proof) => proof.encode());
  return joined(records.flatMap((record) => [littleEndian(record.length, 4), record]));
}
