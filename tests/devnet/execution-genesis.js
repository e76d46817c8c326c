// Block 0 of the execution chain, as a genesis file in geth's form: Prague from the start, the system contracts, one rich
// account, the contract whose storage is watched, and one that logs.

import crypto from "node:crypto";

import {getGenesis} from "@ethereumjs/genesis";
import {privateToAddress} from "@ethereumjs/util";

export const CHAIN_ID = 1337;

// The key of the rich account: no secret, and good for nothing elsewhere.
export const SENDER_KEY = crypto.createHash("sha256").update("sextant devnet: sender").digest();

// Deposits (EIP-6110), beacon roots (4788), block hashes (2935), withdrawal (7002) and consolidation requests (7251): with
// the code they have on the public Hoodi network.
const HOODI = 560048;
const DEPOSITS = "0x00000000219ab540356cbb839cbe05303d7705fa";
const SYSTEM_CONTRACTS = [
  DEPOSITS,
  "0x000f3df6d732807ef1319fb7b8bb8522d0beac02",
  "0x0000f90827f1c53a10cb7a02335b175320002935",
  "0x00000961ef480eb55e80d19ad83579a64c007002",
  "0x0000bbddc7ce488642fb579f8b00f3a590007251",
];

// A contract that stores what it is told: sstore(calldata[0..32], calldata[32..64]).
//   PUSH1 32 CALLDATALOAD  PUSH0 CALLDATALOAD  SSTORE  STOP
export const CONTRACT = "0xc0ffee00000000000000000000000000000000c0";
const CODE = "0x6020355f355500";
// The slot that transactions write; the contract has two more from the start.
export const WATCHED_SLOT = word(0);

// A contract that logs what it is told, twice: with the topics calldata[0..32], sender, block number and calldata[32..64],
// and the rest of the calldata as data; then with calldata[0..32] as the only topic, and no data. Calldata of fewer than 64
// bytes make it run out of gas.
//   PUSH1 64 CALLDATASIZE SUB  DUP1 PUSH1 64 PUSH0 CALLDATACOPY
//   PUSH1 32 CALLDATALOAD  NUMBER  CALLER  PUSH0 CALLDATALOAD  DUP5 PUSH0 LOG4
//   PUSH0 CALLDATALOAD  PUSH0 PUSH0 LOG1  STOP
export const EMITTER = "0xc0ffee00000000000000000000000000000000e0";
const EMITTER_CODE = "0x604036038060405f3760203543335f35845fa45f355f5fa100";

// 32 bytes in hex.
export function word(number) {
  return `0x${BigInt(number).toString(16).padStart(64, "0")}`;
}

// The genesis file's content. `timestamp`: block 0's, Unix seconds.
export function executionGenesis(timestamp) {
  const hoodi = getGenesis(HOODI);
  const alloc = {};
  for (const address of SYSTEM_CONTRACTS) {
    const [balance, code, storage] = hoodi[address];
    alloc[address.slice(2)] = {balance, code, nonce: "0x1", storage: Object.fromEntries(storage ?? [])};
  }
  alloc[Buffer.from(privateToAddress(SENDER_KEY)).toString("hex")] = {balance: "0xd3c21bcecceda1000000"}; // a million ether
  alloc[CONTRACT.slice(2)] = {
    balance: "0x1",
    nonce: "0x1",
    code: CODE,
    storage: {[word(0)]: word(42), [word(1)]: word(0xdeadbeef), [word(255)]: `0x${"11".repeat(32)}`},
  };
  alloc[EMITTER.slice(2)] = {balance: "0x0", nonce: "0x1", code: EMITTER_CODE};
  const forks = ["homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"];
  const blocks = Object.fromEntries([...forks, "berlin", "london"].map((fork) => [`${fork}Block`, 0]));
  return {
    config: {
      chainId: CHAIN_ID,
      ...blocks,
      terminalTotalDifficulty: 0,
      terminalTotalDifficultyPassed: true,
      shanghaiTime: 0,
      cancunTime: 0,
      pragueTime: 0,
      depositContractAddress: DEPOSITS,
    },
    number: "0x0",
    timestamp: `0x${timestamp.toString(16)}`,
    parentHash: word(0),
    mixHash: word(0),
    coinbase: `0x${"00".repeat(20)}`,
    nonce: "0x0",
    difficulty: "0x0",
    extraData: "0x",
    gasLimit: "0x2255100",
    gasUsed: "0x0",
    baseFeePerGas: "0x3b9aca00",
    excessBlobGas: "0x0",
    blobGasUsed: "0x0",
    alloc,
  };
}
