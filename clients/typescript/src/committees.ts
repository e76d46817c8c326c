// Sync committees and what they signed, from what nodes answer.

import { concat, equal, hexBytes, toHex } from "./bytes.js";
import { type Chain, currentSyncCommitteeGindex, forkAt } from "./chain.js";
import { StatementError } from "./errors.js";
import { type BeaconBlockHeader, type Handover, headerRoot, type SignedFinality } from "./inputs.js";
import { at, bytesAt, hashesAt, type Json, listAt, numberAt, text } from "./json.js";
import { branchRoot, hashPair, levels, multiproof, top } from "./merkle.js";

/** A committee's keys with their tree, which is made once. */
export interface Committee {
  keys: Uint8Array[];
  aggregate: Uint8Array;
  tree: Uint8Array[][];
  root: Uint8Array;
}

function keyRoot(key: Uint8Array): Promise<Uint8Array> {
  return hashPair(key.subarray(0, 32), concat(key.subarray(32), new Uint8Array(16)));
}

async function committee(json: Json): Promise<Committee> {
  const keys = listAt(json, "pubkeys").map((key) => hexBytes(text(key, "pubkeys"), 48));
  const aggregate = bytesAt(json, ["aggregate_pubkey"], 48);
  const tree = await levels(await Promise.all(keys.map(keyRoot)));
  return { keys, aggregate, tree, root: await hashPair(top(tree), await keyRoot(aggregate)) };
}

/** A beacon API header. */
export function header(json: Json): BeaconBlockHeader {
  return {
    slot: numberAt(json, ["slot"]),
    proposerIndex: numberAt(json, ["proposer_index"]),
    parentRoot: bytesAt(json, ["parent_root"], 32),
    stateRoot: bytesAt(json, ["state_root"], 32),
    bodyRoot: bytesAt(json, ["body_root"], 32),
  };
}

/** The bootstrap's committee, which its header's state must hold. */
export async function trusted(chain: Chain, bootstrap: Json, checkpoint: string | undefined): Promise<Committee> {
  const block = header(at(bootstrap, "header", "beacon"));
  const root = await headerRoot(block);
  if (checkpoint !== undefined && !equal(root, hexBytes(checkpoint, 32))) {
    throw new StatementError(`the bootstrap is of block ${toHex(root)}, not of the checkpoint ${checkpoint}`);
  }
  const found = await committee(at(bootstrap, "current_sync_committee"));
  const gindex = currentSyncCommitteeGindex(forkAt(chain, block.slot));
  const siblings = hashesAt(bootstrap, "current_sync_committee_branch");
  const depth = Math.floor(Math.log2(gindex));
  if (siblings.length !== depth || !equal(await branchRoot(found.root, siblings, gindex), block.stateRoot)) {
    throw new StatementError("the bootstrap's committee is not in its header's state");
  }
  return found;
}

/** What a committee signed. */
export function signed(chain: Chain, { keys, aggregate, tree }: Committee, update: Json): SignedFinality {
  const size = Number(chain.committeeSize);
  if (keys.length !== size) {
    throw new StatementError(`the sync committee has ${keys.length} keys, the chain's have ${size}`);
  }
  const bits = bytesAt(update, ["sync_aggregate", "sync_committee_bits"], size / 8);
  const absent = [...keys.keys()].filter((seat) => !(((bits[seat >> 3] ?? 0) >> (seat & 7)) & 1));
  return {
    attested: header(at(update, "attested_header", "beacon")),
    finalized: header(at(update, "finalized_header", "beacon")),
    finalityBranch: hashesAt(update, "finality_branch"),
    signatureSlot: numberAt(update, ["signature_slot"]),
    bits,
    signature: bytesAt(update, ["sync_aggregate", "sync_committee_signature"], 96),
    committee: {
      aggregate,
      keys: absent.map((seat) => keys[seat] as Uint8Array),
      proof: multiproof(tree, absent),
    },
  };
}

/** The handovers of these updates, and the committee to which the last one hands over. */
export async function handovers(chain: Chain, first: Committee, updates: Json[]): Promise<[Handover[], Committee]> {
  const found: Handover[] = [];
  let signer = first;
  for (const update of updates) {
    const next = await committee(at(update, "next_sync_committee"));
    found.push({
      signed: signed(chain, signer, update),
      nextCommitteeRoot: next.root,
      nextCommitteeBranch: hashesAt(update, "next_sync_committee_branch"),
    });
    signer = next;
  }
  return [found, signer];
}
