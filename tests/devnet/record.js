// Records a network whose execution chain is older than its history contract reaches back (EIP-2935), for
// `tests/data/devnet`: what its nodes answer about transactions, logs and states of the finalized block and of earlier ones.
// Takes ten minutes, and half an hour beside other work:
//
//     tests/devnet/setup.sh && node tests/devnet/record.js tests/data/devnet/fulu-old-chain

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import {CONTRACT, WATCHED_SLOT, word} from "./execution-genesis.js";
import {pause} from "./execution-node.js";
import {jsonRpc, quantity} from "./json-rpc.js";
import {startNetwork} from "./network.js";
import {readSettings} from "./settings.js";

const HISTORY = "0x0000f90827f1c53a10cb7a02335b175320002935";
const WINDOW = 8191;
// How far before the finalized block the others lie: eight headers back, one step of the history contract, and two steps.
// Each is a multiple of the slots between two blocks with transactions.
const NEAR = 8;
const OLD = 4_000;
const OLDER = 8_400;
const EARLIER_BLOCKS = 8_400;

const [folder] = process.argv.slice(2);
const temporary = fs.mkdtempSync(path.join(os.tmpdir(), "sextant-devnet-"));
const steps = [() => fs.rmSync(temporary, {recursive: true})];
const fail = (text) => {
  throw new Error(text);
};
// After the first finalized epoch one block more, which lets light clients know of it, and then none for a minute.
const options = {"earlier-blocks": EARLIER_BLOCKS, "fulu-epoch": 1, "block-ms": 60_000};
const settings = readSettings(Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]));
try {
  const {ready, run} = await startNetwork(settings, temporary, {atEnd: (step) => steps.push(step), fail, log: console.error});
  run().catch((error) => console.error(error));
  while (!(await get(`${ready.beacon}/eth/v1/beacon/light_client/finality_update`)).ok) await pause(200);
  fs.mkdirSync(folder, {recursive: true});
  const finalized = await recordBeacon(ready);
  await recordExecution(ready, finalized);
} finally {
  for (const step of steps.reverse()) await step();
}
process.exit(0);

function get(url) {
  return fetch(url, {headers: {accept: "application/json"}});
}

// The beacon node's answers. Returns the finalized execution block's number.
async function recordBeacon({beacon, checkpoint}) {
  const answers = {
    "spec.json": "config/spec",
    "genesis.json": "beacon/genesis",
    "bootstrap.json": `beacon/light_client/bootstrap/${checkpoint}`,
    "updates.json": "beacon/light_client/updates?start_period=0&count=1",
    "finality_update.json": "beacon/light_client/finality_update",
    "optimistic_update.json": "beacon/light_client/optimistic_update",
  };
  for (const [name, route] of Object.entries(answers)) {
    const answer = await get(`${beacon}/eth/v1/${route}`);
    if (!answer.ok) throw new Error(`${route}: ${answer.status}`);
    fs.writeFileSync(path.join(folder, name), await answer.text());
  }
  const update = JSON.parse(fs.readFileSync(path.join(folder, "finality_update.json"), "utf8"));
  return Number(update.data.finalized_header.execution.block_number);
}

// The execution node's answers: a list of `method`, `params` and `result`.
async function recordExecution({rpc}, finalized) {
  const call = jsonRpc(rpc);
  const calls = [];
  const record = async (method, ...params) => {
    const result = await call(method, ...params);
    calls.push({method, params, result});
    return result;
  };
  const hashOf = async (number) => (await call("eth_getBlockByNumber", quantity(number), false)).hash;
  const header = async (number) => record("eth_getBlockByHash", await hashOf(number), false);
  const history = (at, number) => record("eth_getProof", HISTORY, [word(number % WINDOW)], quantity(at));

  await record("eth_chainId");
  for (let number = finalized; number > finalized - NEAR; number--) await header(number);
  await history(finalized, finalized - OLD);
  await history(finalized, finalized - WINDOW);
  await header(finalized - WINDOW);
  await history(finalized - WINDOW, finalized - OLDER);
  for (const back of [0, NEAR, OLD, OLDER]) {
    const number = finalized - back;
    if (back > 0) await header(number);
    const hash = await hashOf(number);
    const {transactions} = await record("eth_getBlockByHash", hash, true);
    for (const {hash} of transactions) await record("eth_getTransactionReceipt", hash);
    await record("eth_getBlockReceipts", hash);
    await record("eth_getProof", CONTRACT, [WATCHED_SLOT], quantity(number));
  }
  const lines = calls.map((line) => JSON.stringify(line)).join(",\n");
  fs.writeFileSync(path.join(folder, "calls.json"), `[\n${lines}\n]\n`);
}
