// The layout of statement inputs: the consensus crate's `committee_change::Input` and `inclusion::Input`.

import { CHAIN } from "./chain.js";
import { BLOB, listOf, struct } from "./flat.js";
import { merkleRoot, uint64Root } from "./merkle.js";
import { array, U16, U32, U64, type Value } from "./wire.js";

const HASH = array(32);
const HASHES = listOf(HASH);
const PATH = listOf(U16);
const KEY = array(48);

const BEACON_BLOCK_HEADER = struct({
  slot: U64,
  proposerIndex: U64,
  parentRoot: HASH,
  stateRoot: HASH,
  bodyRoot: HASH,
});
/** The specification's container. */
export type BeaconBlockHeader = Value<typeof BEACON_BLOCK_HEADER>;

/** `hash_tree_root` of a header. */
export function headerRoot(header: BeaconBlockHeader): Promise<Uint8Array> {
  const numbers = [uint64Root(header.slot), uint64Root(header.proposerIndex)];
  return merkleRoot([...numbers, header.parentRoot, header.stateRoot, header.bodyRoot]);
}

const SIGNED_FINALITY = struct({
  attested: BEACON_BLOCK_HEADER,
  finalized: BEACON_BLOCK_HEADER,
  finalityBranch: HASHES,
  signatureSlot: U64,
  bits: BLOB,
  signature: array(96),
  /** The committee's aggregate key, and the keys of the seats that did not sign, in one multiproof. */
  committee: struct({ aggregate: KEY, keys: listOf(KEY), proof: HASHES }),
});
/** A signed header, the finalized header in its state, and the signature's evidence. */
export type SignedFinality = Value<typeof SIGNED_FINALITY>;

/** Seats that signed. */
export function participation(signed: SignedFinality): number {
  let seats = 0;
  for (const byte of signed.bits) {
    for (let rest = byte; rest > 0; rest >>= 1) seats += rest & 1;
  }
  return seats;
}

const HANDOVER = struct({ signed: SIGNED_FINALITY, nextCommitteeRoot: HASH, nextCommitteeBranch: HASHES });
/** A committee signs a header whose state names the next one. */
export type Handover = Value<typeof HANDOVER>;

const EXECUTION_FACTS = struct({
  blockNumber: U64,
  blockHash: HASH,
  stateRoot: HASH,
  proof: HASHES,
  blockHeader: BLOB,
});
/** The execution block in a finalized header, with its proof. */
export type ExecutionFacts = Value<typeof EXECUTION_FACTS>;

export const COMMITTEE_CHANGE_INPUT = struct({
  chain: CHAIN,
  signerPeriod: U64,
  signerCommitteeRoot: HASH,
  handovers: listOf(HANDOVER),
  execution: EXECUTION_FACTS,
});
/** Statement 1 with its evidence. */
export type CommitteeChangeInput = Value<typeof COMMITTEE_CHANGE_INPUT>;

const ACCOUNT_PROOF = struct({
  address: array(20),
  path: PATH,
  slots: listOf(struct({ key: HASH, path: PATH })),
});
/** An account, its slots, and which nodes lead to each. */
export type AccountProof = Value<typeof ACCOUNT_PROOF>;

export const INCLUSION_INPUT = struct({
  chain: CHAIN,
  signerCommitteeRoot: HASH,
  signed: SIGNED_FINALITY,
  execution: EXECUTION_FACTS,
  nodes: listOf(BLOB),
  accounts: listOf(ACCOUNT_PROOF),
  handovers: listOf(HANDOVER),
  /** Steps back to an earlier block. */
  ancestry: listOf(struct({ account: PATH, slot: PATH, header: BLOB })),
  transactions: listOf(struct({ index: U32, transaction: PATH, receipt: PATH, logs: listOf(U32) })),
  noLogs: listOf(struct({ address: array(20), topics: HASHES })),
  receipts: listOf(BLOB),
});
/** Statement 2 with its evidence. */
export type InclusionInput = Value<typeof INCLUSION_INPUT>;
