// The content of a beacon block: everybody attests, the whole sync committee signs, nothing else happens.

import {BitArray} from "@chainsafe/ssz";
import {
  DOMAIN_BEACON_ATTESTER,
  DOMAIN_RANDAO,
  DOMAIN_SYNC_COMMITTEE,
  ForkSeq,
  MAX_COMMITTEES_PER_SLOT,
  SYNC_COMMITTEE_SIZE,
} from "@lodestar/params";
import {
  computeEpochAtSlot,
  computeSigningRoot,
  computeStartSlotAtEpoch,
  computeTimeAtSlot,
  getBlockRootAtSlot,
  getExpectedWithdrawals,
  getRandaoMix,
} from "@lodestar/state-transition";
import {ssz} from "@lodestar/types";

// As many attestations as a block may hold since Electra (MAX_ATTESTATIONS_ELECTRA): one a slot, for the latest slots.
const ATTESTED_SLOTS = 8;
const GRAFFITI = Buffer.from("sextant devnet".padEnd(32, "\0"));

// What the payload of the block at `pre.slot` must say. `pre`: the state advanced to the block's slot.
export function payloadAttributes(config, pre, parentRoot) {
  return {
    timestamp: computeTimeAtSlot(config, pre.slot, pre.genesisTime),
    prevRandao: getRandaoMix(pre, computeEpochAtSlot(pre.slot)),
    withdrawals: getExpectedWithdrawals(ForkSeq[config.getForkName(pre.slot)], pre).expectedWithdrawals,
    parentBeaconBlockRoot: parentRoot,
  };
}

// The block at `pre.slot` on top of `parent` ({root, slot}), without the state root, which only its effect tells.
export function blockWithoutStateRoot(config, validators, pre, parent, executionPayload) {
  const {slot} = pre;
  const proposerIndex = pre.epochCtx.getBeaconProposer(slot);
  const randao = computeSigningRoot(ssz.Epoch, computeEpochAtSlot(slot), config.getDomain(slot, DOMAIN_RANDAO, slot));
  const body = {
    randaoReveal: validators.sign(proposerIndex, randao),
    eth1Data: pre.eth1Data.toValue(),
    graffiti: GRAFFITI,
    proposerSlashings: [],
    attesterSlashings: [],
    attestations: attestations(config, validators, pre, parent.slot),
    deposits: [],
    voluntaryExits: [],
    syncAggregate: syncAggregate(config, validators, pre, parent.root),
    executionPayload,
    blsToExecutionChanges: [],
    blobKzgCommitments: [],
    executionRequests: {deposits: [], withdrawals: [], consolidations: []},
  };
  return {slot, proposerIndex, parentRoot: parent.root, stateRoot: new Uint8Array(32), body};
}

// Attestations of the slots since the parent block, the latest first.
function attestations(config, validators, pre, parentSlot) {
  const first = Math.max(parentSlot, pre.slot - ATTESTED_SLOTS);
  const slots = Array.from({length: pre.slot - first}, (_, i) => pre.slot - 1 - i);
  return slots.map((slot) => attestation(config, validators, pre, slot));
}

// By all committees of a slot at once, as Electra allows.
function attestation(config, validators, pre, slot) {
  const epoch = computeEpochAtSlot(slot);
  const committees = pre.epochCtx.getCommitteeCountPerSlot(epoch);
  const source = epoch === pre.epochCtx.epoch ? pre.currentJustifiedCheckpoint : pre.previousJustifiedCheckpoint;
  const data = {
    slot,
    index: 0,
    beaconBlockRoot: getBlockRootAtSlot(pre, slot),
    source: source.toValue(),
    target: {epoch, root: getBlockRootAtSlot(pre, computeStartSlotAtEpoch(epoch))},
  };
  const members = Array.from({length: committees}, (_, i) => [...pre.epochCtx.getBeaconCommittee(slot, i)]).flat();
  const domain = config.getDomain(pre.slot, DOMAIN_BEACON_ATTESTER, slot);
  return {
    aggregationBits: BitArray.fromBoolArray(members.map(() => true)),
    data,
    signature: validators.signTogether(members, computeSigningRoot(ssz.phase0.AttestationData, data, domain)),
    committeeBits: BitArray.fromBoolArray(Array.from({length: MAX_COMMITTEES_PER_SLOT}, (_, i) => i < committees)),
  };
}

// The sync committee's signature of the parent block: what light clients live on.
function syncAggregate(config, validators, pre, parentRoot) {
  const seats = Array.from(pre.epochCtx.currentSyncCommitteeIndexed.validatorIndices);
  const domain = config.getDomain(pre.slot, DOMAIN_SYNC_COMMITTEE, pre.slot - 1);
  return {
    syncCommitteeBits: BitArray.fromBoolArray(new Array(SYNC_COMMITTEE_SIZE).fill(true)),
    syncCommitteeSignature: validators.signTogether(seats, computeSigningRoot(ssz.Root, parentRoot, domain)),
  };
}
