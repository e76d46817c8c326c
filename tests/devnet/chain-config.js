// The beacon chain's configuration: mainnet's preset and rules, every fork until Electra at genesis, Fulu later.

import crypto from "node:crypto";

import {mainnetChainConfig} from "@lodestar/config/configs";
import {EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SLOTS_PER_EPOCH, SYNC_COMMITTEE_SIZE} from "@lodestar/params";

import {CHAIN_ID} from "./execution-genesis.js";

const FORKS = ["GENESIS", "ALTAIR", "BELLATRIX", "CAPELLA", "DENEB", "ELECTRA", "FULU", "GLOAS", "HEZE"];

export const SECONDS_PER_SLOT = 12;
export const SLOTS_PER_PERIOD = SLOTS_PER_EPOCH * EPOCHS_PER_SYNC_COMMITTEE_PERIOD;

// `genesisTime`: Unix seconds.
export function chainConfig({validators, fuluEpoch}, genesisTime) {
  const forks = {};
  for (const [index, fork] of FORKS.entries()) {
    forks[`${fork}_FORK_VERSION`] = Uint8Array.from([index, 0, 0x13, 0x37]);
    if (fork !== "GENESIS") forks[`${fork}_FORK_EPOCH`] = epochOf(fork, fuluEpoch);
  }
  return {
    ...mainnetChainConfig,
    ...forks,
    CONFIG_NAME: "sextant-devnet",
    MIN_GENESIS_ACTIVE_VALIDATOR_COUNT: validators,
    MIN_GENESIS_TIME: genesisTime,
    GENESIS_DELAY: 0,
    SECONDS_PER_SLOT,
    SLOT_DURATION_MS: SECONDS_PER_SLOT * 1000,
    DEPOSIT_CHAIN_ID: CHAIN_ID,
    DEPOSIT_NETWORK_ID: CHAIN_ID,
    TERMINAL_TOTAL_DIFFICULTY: 0n,
    BLOB_SCHEDULE: [],
  };
}

function epochOf(fork, fuluEpoch) {
  if (FORKS.indexOf(fork) <= FORKS.indexOf("ELECTRA")) return 0;
  return fork === "FULU" ? fuluEpoch : Infinity;
}

// Sextant's digest of a chain, for `--chain-digest`: SHA-256 over the genesis validators root, three numbers of the
// preset, and epoch and version of each fork from phase 0 to Gloas, numbers as 8 bytes with the lowest first.
export function chainDigest(config, genesisValidatorsRoot) {
  const number = (value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value === Infinity ? 2n ** 64n - 1n : BigInt(value));
    return bytes;
  };
  const preset = [SLOTS_PER_EPOCH, EPOCHS_PER_SYNC_COMMITTEE_PERIOD, SYNC_COMMITTEE_SIZE].map(number);
  const forks = FORKS.slice(0, 8).flatMap((fork) => [
    number(config[`${fork}_FORK_EPOCH`] ?? 0),
    config[`${fork}_FORK_VERSION`],
  ]);
  const bytes = Buffer.concat([genesisValidatorsRoot, ...preset, ...forks]);
  return `0x${crypto.createHash("sha256").update(bytes).digest("hex")}`;
}
