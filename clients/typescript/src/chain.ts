// Which chain: genesis, preset and fork schedule, and what follows from a slot.

import { type Hex, hexBytes, sha256, toHex } from "./bytes.js";
import { StatementError } from "./errors.js";
import { fixed, struct } from "./flat.js";
import { array, U64, type Value } from "./wire.js";

const FAR_FUTURE_EPOCH = 2n ** 64n - 1n;

/** Forks of the consensus layer by their place in a chain's schedule. */
export const Fork = { Phase0: 0, Altair: 1, Bellatrix: 2, Capella: 3, Deneb: 4, Electra: 5, Fulu: 6, Gloas: 7 } as const;

export const CHAIN = struct({
  genesisValidatorsRoot: array(32),
  slotsPerEpoch: U64,
  epochsPerPeriod: U64,
  committeeSize: U64,
  /** When each fork begins, oldest first, and its version of four bytes. */
  forks: fixed(struct({ epoch: U64, version: array(4) }), Object.keys(Fork).length),
});
/** A chain's configuration. */
export type Chain = Value<typeof CHAIN>;

/** SHA-256 of the configuration: what a proof names its chain by. */
export async function chainDigest(chain: Chain): Promise<Hex> {
  return toHex(await sha256(CHAIN.write(chain)));
}

/** `compute_sync_committee_period_at_slot`. */
export function periodAt(chain: Chain, slot: bigint): bigint {
  return slot / (chain.slotsPerEpoch * chain.epochsPerPeriod);
}

/** The fork of a slot. Throws {@link StatementError} before sync committees. */
export function forkAt(chain: Chain, slot: bigint): number {
  const epoch = slot / chain.slotsPerEpoch;
  const fork = chain.forks.findLastIndex((one) => one.epoch <= epoch);
  if (fork < Fork.Altair) throw new StatementError(`slot ${slot} lies before Altair: there was no sync committee`);
  return fork;
}

/** `CURRENT_SYNC_COMMITTEE_GINDEX` in the beacon state, since this fork. */
export function currentSyncCommitteeGindex(fork: number): number {
  if (fork >= Fork.Gloas) return 2945;
  return fork >= Fork.Electra ? 86 : 54;
}

function network(genesis: Hex, epochs: (number | bigint)[], versions: (fork: number) => number): Chain {
  return {
    genesisValidatorsRoot: hexBytes(genesis, 32),
    slotsPerEpoch: 32n,
    epochsPerPeriod: 256n,
    committeeSize: 512n,
    forks: epochs.map((epoch, fork) => ({
      epoch: BigInt(epoch),
      version: hexBytes(`0x${versions(fork).toString(16).padStart(8, "0")}`, 4),
    })),
  };
}

// Sources: eth-clients/mainnet, eth-clients/sepolia, eth-clients/hoodi, metadata/config.yaml.
export const MAINNET = network(
  "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95",
  [0, 74240, 144896, 194048, 269568, 364032, 411392, FAR_FUTURE_EPOCH],
  (fork) => 0x01000000 * fork,
);
export const SEPOLIA = network(
  "0xd8ea171f3c94aea21ebc42a1ed61052acf3f9209c00e4efbaaddac09ed9b8078",
  [0, 50, 100, 56832, 132608, 222464, 272640, 353024],
  (fork) => (fork === Fork.Phase0 ? 0x90000069 : 0x9000006f + fork),
);
export const HOODI = network(
  "0x212f13fc4df078b6cb7db228f1c8307566dcecf900867401a92023d7ba99cb5f",
  [0, 0, 0, 0, 0, 2048, 50688, 132352],
  (fork) => 0x10000910 + 0x10000000 * fork,
);
