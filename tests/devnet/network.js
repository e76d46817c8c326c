// The whole network: execution client, beacon chain, light-client server and beacon API, on top of each other.

import {toRootHex} from "@lodestar/utils";

import {serveBeaconApi} from "./beacon-api.js";
import {BeaconChain} from "./beacon-chain.js";
import {beaconGenesis} from "./beacon-genesis.js";
import {SECONDS_PER_SLOT, chainConfig, chainDigest} from "./chain-config.js";
import {makeEarlierBlocks} from "./earlier-blocks.js";
import {CONTRACT, EMITTER, WATCHED_SLOT} from "./execution-genesis.js";
import {startExecutionNode} from "./execution-node.js";
import {quantity} from "./json-rpc.js";
import {lightClientServer} from "./light-client.js";
import {Schedule, genesisTimeFor, slotNow} from "./schedule.js";
import {Writer} from "./transactions.js";
import {Validators} from "./validators.js";

// Starts everything and makes blocks until one is final. `atEnd` is given what is to be done at the end, `fail` what must
// not happen, `log` a line of text. Returns where the network is, and how to let it run on.
export async function startNetwork(settings, folder, {atEnd, fail, log}) {
  const genesisTime = genesisTimeFor(settings.periodsBehind);
  const currentSlot = () => slotNow(genesisTime);
  const {earlierBlocks, transactionSlots} = settings;
  const execution = await startExecutionNode(folder, genesisTime - earlierBlocks * SECONDS_PER_SLOT);
  atEnd(() => execution.stop());
  execution.ended.then((how) => fail(`the execution client ended (${how})`));

  const validators = new Validators(settings.validators);
  const writer = new Writer(execution);
  await makeEarlierBlocks(execution, earlierBlocks, transactionSlots, writer);
  const block = await execution.call("eth_getBlockByNumber", quantity(earlierBlocks), false);
  const rules = chainConfig(settings, genesisTime);
  const {config, state} = beaconGenesis(rules, validators, block, genesisTime);
  const lightClient = lightClientServer(config, currentSlot, (error) => log(`light-client server: ${error}`));
  const chain = new BeaconChain(config, state, validators, execution.engine, lightClient);
  const schedule = new Schedule(chain, writer, settings, genesisTime);
  await schedule.untilFinality();

  const api = await serveBeaconApi(config, chain, lightClient, genesisTime, currentSlot);
  atEnd(() => api.stop());
  const stop = new AbortController();
  atEnd(() => stop.abort());
  const ready = {
    beacon: api.url,
    rpc: execution.url,
    checkpoint: toRootHex(chain.finalized),
    chain_digest: chainDigest(rules, config.genesisValidatorsRoot),
    address: CONTRACT,
    slot: WATCHED_SLOT,
    emitter: EMITTER,
  };
  const onEpoch = () => {
    const {slot, finalizedCheckpoint} = chain.state;
    if (settings.verbose) log(`slot ${slot} (${config.getForkName(slot)}), finalized epoch ${finalizedCheckpoint.epoch}`);
  };
  return {ready, run: () => schedule.run(stop.signal, onEpoch)};
}
