// The beacon chain: one block on top of the other, by Lodestar's state transition, which checks every signature and every
// state root. There is one node only, so no fork choice and no gossip.

import {DOMAIN_BEACON_PROPOSER} from "@lodestar/params";
import {
  BeaconStateView,
  DataAvailabilityStatus,
  ExecutionPayloadStatus,
  computeSigningRoot,
  processSlots,
  stateTransition,
} from "@lodestar/state-transition";
import {ssz} from "@lodestar/types";
import {toRootHex} from "@lodestar/utils";

import {blockWithoutStateRoot, payloadAttributes} from "./blocks.js";
import {buildPayload, setHead} from "./payloads.js";

const AVAILABLE = {
  executionPayloadStatus: ExecutionPayloadStatus.valid,
  dataAvailabilityStatus: DataAvailabilityStatus.Available,
};
const NO_SIGNATURE = new Uint8Array(96);
const NO_BLOCK = new Uint8Array(32);

export class BeaconChain {
  #validators;
  #engine;
  #lightClient;
  #headers = new Map(); // root in hex: {root, header}
  #roots = new Map(); // slot: root
  #executionHashes = new Map(); // root in hex: hash of the execution block

  // `genesis`: state at slot 0; `engine`: the execution client's engine API.
  constructor(config, genesis, validators, engine, lightClient) {
    this.config = config;
    this.state = genesis;
    this.#validators = validators;
    this.#engine = engine;
    this.#lightClient = lightClient;
    const message = ssz.phase0.BeaconBlockHeader.clone(genesis.latestBlockHeader.toValue());
    message.stateRoot = genesis.hashTreeRoot();
    this.#add(ssz.phase0.BeaconBlockHeader.hashTreeRoot(message), {message, signature: NO_SIGNATURE});
  }

  // Makes the block of `slot`, checks it as another node would, and takes it as the head.
  async produce(slot) {
    const {config, head: parent} = this;
    const types = config.getForkTypes(slot);
    const pre = processSlots(this.state.clone(), slot);
    const attributes = payloadAttributes(config, pre, parent.root);
    const payload = await buildPayload(this.#engine, this.#forkchoice(pre), attributes);
    const block = blockWithoutStateRoot(config, this.#validators, pre, parent, payload);

    // Once to see the effect, and once more with nothing taken on trust.
    const blind = {...AVAILABLE, verifyStateRoot: false, verifyProposer: false, verifySignatures: false};
    const effect = stateTransition(this.state, {message: block, signature: NO_SIGNATURE}, blind);
    block.stateRoot = effect.hashTreeRoot();
    const domain = config.getDomain(slot, DOMAIN_BEACON_PROPOSER, slot);
    const signature = this.#validators.sign(block.proposerIndex, computeSigningRoot(types.BeaconBlock, block, domain));
    const checked = {...AVAILABLE, verifyStateRoot: true, verifyProposer: true, verifySignatures: true};
    this.state = stateTransition(this.state, {message: block, signature}, checked);

    const {proposerIndex, parentRoot, stateRoot} = block;
    const bodyRoot = types.BeaconBlockBody.hashTreeRoot(block.body);
    const root = types.BeaconBlock.hashTreeRoot(block);
    this.#add(root, {message: {slot, proposerIndex, parentRoot, stateRoot, bodyRoot}, signature});
    this.#executionHashes.set(toRootHex(root), payload.blockHash);
    this.#lightClient.importBlock(block, new BeaconStateView(this.state), parent.slot);
    await setHead(this.#engine, this.#forkchoice(this.state));
  }

  // Lets the slots up to `slot`, that one included, pass without a block. It takes seconds for a whole period, so others
  // get a turn now and then.
  async leaveEmpty(slot) {
    const step = 64;
    while (this.state.slot < slot) {
      this.state = processSlots(this.state, Math.min(this.state.slot + step, slot));
      await new Promise(setImmediate);
    }
  }

  get finalized() {
    const {epoch, root} = this.state.finalizedCheckpoint;
    return epoch === 0 ? this.#roots.get(0) : root;
  }

  // A block's root and signed header, or none: `id` as in the beacon API.
  header(id) {
    const named = {head: this.head.root, finalized: this.finalized, genesis: this.#roots.get(0)};
    const root = named[id] ?? (String(id).startsWith("0x") ? id : this.#roots.get(Number(id)));
    return root && this.#headers.get(typeof root === "string" ? root.toLowerCase() : toRootHex(root));
  }

  #add(root, header) {
    this.head = {root, slot: header.message.slot};
    this.#headers.set(toRootHex(root), {root, header});
    this.#roots.set(header.message.slot, root);
  }

  #forkchoice(state) {
    const hash = (root) => this.#executionHashes.get(toRootHex(root)) ?? NO_BLOCK;
    return {
      head: state.latestExecutionPayloadHeader.blockHash,
      safe: hash(state.currentJustifiedCheckpoint.root),
      finalized: hash(state.finalizedCheckpoint.root),
    };
  }
}
