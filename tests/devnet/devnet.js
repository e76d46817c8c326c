// Starts the network, says where it is, and ends it in order.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import {toRootHex} from "@lodestar/utils";

import "./end-with-parent.js";
import {serveBeaconApi} from "./beacon-api.js";
import {BeaconChain} from "./beacon-chain.js";
import {beaconGenesis} from "./beacon-genesis.js";
import {chainConfig, chainDigest} from "./chain-config.js";
import {CONTRACT, WATCHED_SLOT} from "./execution-genesis.js";
import {startExecutionNode} from "./execution-node.js";
import {lightClientServer} from "./light-client.js";
import {Schedule, genesisTimeFor, slotNow} from "./schedule.js";
import {readSettings} from "./settings.js";
import {Writer} from "./transactions.js";
import {Validators} from "./validators.js";

const log = (text) => process.stderr.write(`devnet: ${text}\n`);

// What is to be undone at the end, the last first.
const undo = [];
let ending;

// Ends the process, once, with everything it started.
function end(code) {
  ending ??= (async () => {
    for (const step of undo.reverse()) await (async () => step())().catch((error) => log(error.message));
    process.exit(code);
  })();
  return ending;
}

async function start(settings) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "sextant-devnet-"));
  undo.push(() => fs.rmSync(folder, {recursive: true, force: true}));

  const genesisTime = genesisTimeFor(settings.periodsBehind);
  const execution = await startExecutionNode(folder, genesisTime);
  undo.push(() => execution.stop());
  execution.ended.then((how) => {
    if (ending) return;
    log(`the execution client ended (${how})`);
    end(1);
  });

  const validators = new Validators(settings.validators);
  const block = await execution.call("eth_getBlockByNumber", "0x0", false);
  const rules = chainConfig(settings, genesisTime);
  const {config, state} = beaconGenesis(rules, validators, block, genesisTime);
  const currentSlot = () => slotNow(genesisTime);
  const lightClient = lightClientServer(config, currentSlot, (error) => log(`light-client server: ${error}`));
  const chain = new BeaconChain(config, state, validators, execution.engine, lightClient);
  const schedule = new Schedule(chain, new Writer(execution), settings, genesisTime);
  await schedule.untilFinality();

  const api = await serveBeaconApi(config, chain, lightClient, genesisTime, currentSlot);
  undo.push(() => api.stop());
  const stop = new AbortController();
  undo.push(() => stop.abort());
  const ready = {
    beacon: api.url,
    rpc: execution.url,
    checkpoint: toRootHex(chain.finalized),
    chain_digest: chainDigest(rules, config.genesisValidatorsRoot),
    address: CONTRACT,
    slot: WATCHED_SLOT,
  };
  const onEpoch = () => {
    const {slot, finalizedCheckpoint} = chain.state;
    if (settings.verbose) log(`slot ${slot} (${config.getForkName(slot)}), finalized epoch ${finalizedCheckpoint.epoch}`);
  };
  return {ready, run: () => schedule.run(stop.signal, onEpoch)};
}

function hints(ready) {
  const options = ["beacon", "rpc", "chain_digest", "checkpoint", "address", "slot"];
  const lines = options.map((name) => `  --${name.replace("_", "-")} ${ready[name]} \\\n`).join("");
  // Its heads are days old, since it still catches up with the clock.
  return `follow it with\nsextant follow \\\n${lines}  --max-head-age 0 --poll 2\n`;
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
try {
  const settings = readSettings(process.argv.slice(2));
  const network = await start(settings);
  process.stdout.write(`${JSON.stringify(network.ready)}\n`);
  if (settings.hints) log(hints(network.ready));
  await network.run();
} catch (error) {
  if (!ending) log(error.stack);
  await end(1);
}
