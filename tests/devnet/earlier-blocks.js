// Execution blocks from before the beacon chain's first one, so that the execution chain is old within minutes: with a
// beacon block for each it would take hours.

import crypto from "node:crypto";

import {SECONDS_PER_SLOT} from "./chain-config.js";
import {buildPayload, setHead} from "./payloads.js";

const NO_BLOCK = new Uint8Array(32);

// Makes `count` blocks after block 0, as long apart as slots are, with transactions in each whose number is a multiple of
// `transactionBlocks`.
export async function makeEarlierBlocks(execution, count, transactionBlocks, writer) {
  const genesis = await execution.call("eth_getBlockByNumber", "0x0", false);
  let head = Buffer.from(genesis.hash.slice(2), "hex");
  const hashes = () => ({head, safe: NO_BLOCK, finalized: NO_BLOCK});
  for (let number = 1; number <= count; number++) {
    if (number % transactionBlocks === 0) await writer.write(number);
    // No beacon chain is there to say them: each block has its own.
    const drawn = (what) => crypto.createHash("sha256").update(`${what} ${number}`).digest();
    const payload = await buildPayload(execution.engine, hashes(), {
      timestamp: Number(genesis.timestamp) + number * SECONDS_PER_SLOT,
      prevRandao: drawn("randao"),
      withdrawals: [],
      parentBeaconBlockRoot: drawn("parent"),
    });
    head = payload.blockHash;
  }
  if (count > 0) await setHead(execution.engine, hashes());
}
